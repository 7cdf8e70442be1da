"""How many examples stand where, and how far the review of the sample is."""

from __future__ import annotations

from dataclasses import dataclass

from studio.build import Session
from studio.triage import sample_progress


@dataclass(frozen=True)
class Counts:
    """``seen`` of the ``sampled`` examples have a person's decision."""

    accepted: int = 0
    rejected: int = 0
    pending: int = 0
    seen: int = 0
    sampled: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    """Why examples stand rejected, and how many, most frequent first."""
    categories: tuple[tuple[str, int], ...] = ()


def read_counts(session: Session) -> Counts:
    """Reads the store."""
    counts = session.workspace.examples.counts()
    seen, sampled = sample_progress(session.workspace)
    return Counts(
        accepted=sum(one.accepted for one in counts),
        rejected=sum(one.rejected for one in counts),
        pending=sum(one.pending for one in counts),
        seen=seen,
        sampled=sampled,
        reasons=tuple(session.workspace.examples.reasons().items()),
        categories=tuple((one.category, one.accepted + one.rejected + one.pending) for one in counts),
    )
