"""A person's part: decisions, a sample to review, the balance of what is accepted, and the export."""

from studio.triage.balance import CategoryBalance, balance
from studio.triage.export import Export, export_chatml
from studio.triage.reasons import REASONS
from studio.triage.sample import sample_ids, sample_progress
from studio.triage.triage import Triage

__all__ = [
    "REASONS",
    "CategoryBalance",
    "Export",
    "Triage",
    "balance",
    "export_chatml",
    "sample_ids",
    "sample_progress",
]
