"""A person's part: decisions, a sample to review, and the export."""

from studio.triage.export import STREAM, Export, export_chatml
from studio.triage.reasons import REASONS
from studio.triage.sample import sample_ids, sample_progress
from studio.triage.triage import Triage

__all__ = [
    "REASONS",
    "STREAM",
    "Export",
    "Triage",
    "export_chatml",
    "sample_ids",
    "sample_progress",
]
