"""Filters of the list: what can be asked for, with its counts; a filter in words; and one kept over a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from studio.build import Session
from studio.store import Filter
from studio.store.records import Status
from studio.triage import review_progress
from studio.tui.live.state import Value
from studio.tui.text import clip

STATUSES: tuple[Status, ...] = ("accepted", "rejected", "pending")
KEPT = ("status", "category", "reason", "text")


@dataclass(frozen=True)
class Counts:
    """How many examples there are of what; ``seen`` of the ``sampled`` ones were reviewed."""

    statuses: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why examples stand rejected, most frequent first."""
    seen: int = 0
    sampled: int = 0


def read_counts(session: Session) -> Counts:
    """Reads the store."""
    statuses, categories = Counter[str](), Counter[str]()
    for one in session.workspace.examples.counts():
        found = Counter(accepted=one.accepted, rejected=one.rejected, pending=one.pending)
        statuses += found
        categories[one.category] = found.total()
    reasons, (seen, sampled) = session.workspace.examples.reasons(), review_progress(session.workspace)
    return Counts(statuses, categories, reasons, seen, sampled)


def choices(counts: Counts) -> list[tuple[str, Filter]]:
    """All that can be asked for but words, each with how many examples pass it."""
    return [
        ("all", Filter()),
        *((f"{status} ({counts.statuses[status]})", Filter(status=status)) for status in STATUSES),
        *((f"category {name} ({count})", Filter(category=name)) for name, count in counts.categories.items()),
        *((f"rejected for {reason} ({count})", Filter(reason=reason)) for reason, count in counts.reasons.items()),
    ]


def in_words(wanted: Filter) -> str:
    person, text = f"of {wanted.person_id}" if wanted.person_id else "", f'"{wanted.text}"' if wanted.text else ""
    parts = wanted.status, wanted.category, clip(wanted.reason or "", 24), person, text
    return " ".join(filter(None, parts)) or "all"


def remembered(wanted: Filter) -> dict[str, Value]:
    return wanted.model_dump(include=set(KEPT))


def recalled(state: Mapping[str, Value]) -> Filter:
    """The filter of :func:`remembered`; everything where that is none."""
    try:
        return Filter.model_validate({name: state.get(name) or None for name in KEPT})
    except ValidationError:
        return Filter()
