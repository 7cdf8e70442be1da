"""A person's part: decisions, and the review of a sample."""

from studio.triage.checklist import ALL_CHECKS, Check
from studio.triage.decide import REASONS, Triage, check_conversation
from studio.triage.error_rate import LIMIT, ErrorRate
from studio.triage.review import ReviewStatus, SampleReview, review_progress

__all__ = [
    "ALL_CHECKS",
    "LIMIT",
    "REASONS",
    "Check",
    "ErrorRate",
    "ReviewStatus",
    "SampleReview",
    "Triage",
    "check_conversation",
    "review_progress",
]
