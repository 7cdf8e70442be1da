"""Filters of the list: what can be asked for, with its counts; a filter in words; and one kept over a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from studio.build import Session
from studio.store import Filter
from studio.store.lists import LENGTHS, Sort
from studio.triage import review_progress
from studio.tui.live.state import Value
from studio.tui.text import clip

STATUSES = ("accepted", "rejected", "pending")
ORDERS: dict[str, tuple[Sort, str]] = {
    "a": ("arrival", "as they came"),
    "n": ("newest", "the newest first"),
    "u": ("unsure", "where the judge is least sure first"),
    "j": ("against", "where judge and rules differ most first"),
    "c": ("gap", "scenarios with the fewest accepted first"),
}
"""What a list can be sorted by: key -> (sort, in words)."""
_YES = {
    "edited": ("edited", "not edited"),
    "unscored": ("unscored", "scored"),
    "flagged": ("flagged in the review", "not flagged"),
    "decided": ("decided by a person", "left to the judge"),
}


@dataclass(frozen=True)
class Counts:
    """How many examples there are of each status; ``seen`` of the ``sampled`` ones were reviewed."""

    statuses: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    sampled: int = 0


def read_counts(session: Session) -> Counts:
    """Reads the store."""
    statuses = Counter[str]()
    for one in session.workspace.examples.counts():
        statuses += Counter(accepted=one.accepted, rejected=one.rejected, pending=one.pending)
    return Counts(statuses, *review_progress(session.workspace))


def read_choices(session: Session, wanted: Filter) -> list[tuple[str, Filter]]:
    """What can be asked for besides ``wanted``, each with how many examples pass both; first what can be taken away
    from it. Reads the store."""
    store, traits = session.workspace.examples, session.loaded.spec.trait_names
    counts = store.facets(wanted, traits)
    found = [(f"all ({store.count()})", Filter(sort=wanted.sort, pivot=wanted.pivot))]
    found += [(f"✓ {told}: take it away", without) for told, without in parts_of(wanted)]

    def add(name: str, told: str, count: int, **given: Any) -> None:
        if given.keys() & {"marks"} or getattr(wanted, name) is None:
            found.append((f"{told} ({count})", wanted.model_copy(update=given)))

    for status in STATUSES:
        add("status", status, counts["status"].get(status, 0), status=status)
    for name, told in (("category", "category"), ("reason", "rejected for"), ("scenario", "scenario")):
        for value, count in counts[name].items():
            add(name, f"{told} {value}", count, **{name: value})
    for name, (yes, no) in _YES.items():
        count = counts[name].get("yes", 0)
        add(name, yes, count, **{name: True})
        add(name, no, store.count(wanted) - count, **{name: False})
    for name, told in (("origin", "origin"), ("judge", "judged by"), ("job_id", "run")):
        for value, count in counts[name].items():
            add(name, f"{told} {value}", count, **{name: value})
    for trait in traits:
        for mark, count in sorted(counts[f"mark {trait}"].items(), reverse=True):
            marks = (*(one for one in wanted.marks if one[0] != trait), (trait, int(mark), int(mark)))
            add("marks", f"{trait} scored {mark}", count, marks=marks)
    for place, count in sorted(counts["words"].items()):
        least, most = LENGTHS[int(place)]
        told = f"{least} to {most} words" if most else f"{least} words or more"
        add("min_words", told, count, min_words=least, max_words=most)
    people = {person.id: person.name for person in store.people()} if counts["person_id"] else {}
    for value, count in counts["person_id"].items():
        add("person_id", f"asked by {people.get(value) or value}", count, person_id=value)
    return found


def parts_of(wanted: Filter) -> Iterator[tuple[str, Filter]]:
    """Each thing that ``wanted`` asks for, in words, and what it is without it."""
    for name in ("status", "category", "scenario", "reason", "origin", "judge"):
        if value := getattr(wanted, name):
            yield clip(value, 24), wanted.model_copy(update={name: None})
    for name, told in (("person_id", "of"), ("job_id", "run")):
        if value := getattr(wanted, name):
            yield f"{told} {clip(value, 24)}", wanted.model_copy(update={name: None})
    for name, (yes, no) in _YES.items():
        if (value := getattr(wanted, name)) is not None:
            yield yes if value else no, wanted.model_copy(update={name: None})
    for trait, least, most in wanted.marks:
        told = f"{least}" if least == most else f"{least}..{most}"
        rest = tuple(one for one in wanted.marks if one[0] != trait)
        yield f"{clip(trait, 24)} {told}", wanted.model_copy(update={"marks": rest})
    if wanted.min_words is not None or wanted.max_words is not None:
        span = f"{wanted.min_words or 0}..{'' if wanted.max_words is None else wanted.max_words}"
        yield f"{span} words", wanted.model_copy(update={"min_words": None, "max_words": None})
    if wanted.ids is not None:
        yield f"{len(wanted.ids)} chosen", wanted.model_copy(update={"ids": None})
    if wanted.text:
        yield f'"{wanted.text}"', wanted.model_copy(update={"text": None})


def in_words(wanted: Filter) -> str:
    """``rejected weather, the newest first``; ``all`` where nothing is kept out."""
    told = " ".join(part for part, _ in parts_of(wanted)) or "all"
    order = next(words for sort, words in ORDERS.values() if sort == wanted.sort)
    return told if wanted.sort == "arrival" else f"{told}, {order}"


def remembered(wanted: Filter) -> dict[str, Value]:
    return {"filter": wanted.model_dump_json(exclude_defaults=True, exclude={"ids"})}


def recalled(state: Mapping[str, Value]) -> Filter:
    """The filter of :func:`remembered`; everything where that is none."""
    try:
        return Filter.model_validate_json(str(state.get("filter") or "{}"))
    except ValidationError:
        return Filter()
