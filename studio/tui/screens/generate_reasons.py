"""What examples were rejected for, as a person reads it."""

from __future__ import annotations

from studio.store import ExampleStore, Filter
from studio.tui.text import clip

PATTERN = "pattern:"
QUOTE = 24


def reasons_told(store: ExampleStore) -> tuple[tuple[str, int], ...]:
    """Each with its count. A forbidden pattern is told by words that it was found in. Reads the store."""
    return tuple((_told(store, reason), count) for reason, count in store.reasons().items())


def _told(store: ExampleStore, reason: str) -> str:
    if not reason.startswith(PATTERN):
        return reason
    rows = store.rows(Filter(reason=reason), limit=1)
    violations = rows[0].judgement.violations if rows and rows[0].judgement else ()
    quotes = [one.quote for one in violations if f"{one.kind}:{one.name}" == reason and one.quote]
    return f'pattern "{clip(quotes[0], QUOTE)}"' if quotes else reason
