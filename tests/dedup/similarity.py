"""What the index has to agree with."""

from __future__ import annotations


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Shared pieces over all pieces, 0..1; 0 where both are empty."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if shared else 0.0
