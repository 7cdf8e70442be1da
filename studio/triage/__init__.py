"""A person's part: decisions, a sample to review, and the export."""

from studio.triage.decide import REASONS, Triage, sample_ids, sample_progress
from studio.triage.export import STREAM, Export, export_chatml

__all__ = [
    "REASONS",
    "STREAM",
    "Export",
    "Triage",
    "export_chatml",
    "sample_ids",
    "sample_progress",
]
