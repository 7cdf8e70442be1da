"""A person's part: decisions, and a sample to review."""

from studio.triage.decide import REASONS, Triage, check_conversation, sample_ids, sample_progress

__all__ = ["REASONS", "Triage", "check_conversation", "sample_ids", "sample_progress"]
