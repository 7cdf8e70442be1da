"""Filters of the bank: what can be asked for, with how many people each shows; a filter in words, and one kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import ValidationError

from studio.store import PeopleCount, PeopleFilter
from studio.tui.live.state import Value
from studio.tui.text import clip

SOURCES = {
    "profiles": "from the spec's profiles",
    "bank": "in the bank",
    "recorded": "from the recording",
    "hand": "from examples by hand",
}
BY = {
    "": "of unknown origin",
    "compose": "composed",
    "write": "written by a model",
    "from-text": "inferred from texts",
    "relations": "related to others",
    "enrich": "made whole",
    "profiles": "of the spec's profiles",
    "import": "imported",
}
"""How people came to be, by method."""
KEPT = ("source", "method", "extreme", "language", "text")


def told_of(counts: Iterable[PeopleCount]) -> str:
    """``60 composed, 40 written by a model, 24 of the spec's profiles``: everybody by where they come from."""
    found: Counter[str] = Counter()
    for one in counts:
        if one.source != "bank":
            found[SOURCES.get(one.source, one.source)] += one.n
        else:
            found["came with generating" if one.built_in or not one.method else BY[one.method]] += one.n
    return ", ".join(f"{count:,} {what}" for what, count in found.most_common())


def choices(counts: Sequence[PeopleCount], now: PeopleFilter) -> list[tuple[str, PeopleFilter]]:
    """What can be asked for: each changes one thing of the filter, keeps the others, and shows as many as it says."""
    found = [(f"everybody ({sum(one.n for one in counts):,})", PeopleFilter())]

    def add(name: str, told: Callable[[object], str]) -> None:
        kept = now.model_copy(update={name: None})
        kinds: Counter[object] = Counter()
        for one in counts:
            if _passes(one, kept):
                kinds[getattr(one, name)] += one.n
        for value, count in kinds.most_common():
            if value not in (False,) and (value or name == "method"):
                found.append((f"{told(value)} ({count:,})", now.model_copy(update={name: value})))

    add("source", lambda value: SOURCES.get(str(value), str(value)))
    add("method", lambda value: f"by method: {BY.get(str(value), str(value))}")
    add("extreme", lambda value: "extreme people")
    add("language", lambda value: f"first language {value}")
    return found


def _passes(one: PeopleCount, wanted: PeopleFilter) -> bool:
    """Words are left out: nobody counts by them."""
    names = ("source", "method", "extreme", "language")
    return all(getattr(wanted, name) in (None, getattr(one, name)) for name in names)


def in_words(wanted: PeopleFilter) -> str:
    """``in the bank, written by a model, extreme``; empty for everybody."""
    parts = [
        SOURCES.get(wanted.source or "", wanted.source or ""),
        BY[wanted.method] if wanted.method is not None else "",
        "extreme" if wanted.extreme else "",
        f"first language {wanted.language}" if wanted.language else "",
        f'with "{clip(wanted.text, 24)}"' if wanted.text else "",
    ]
    return ", ".join(part for part in parts if part)


def remembered(wanted: PeopleFilter) -> dict[str, Value]:
    return {name: value for name, value in wanted.model_dump().items() if value is not None}


def recalled(state: Mapping[str, Value]) -> PeopleFilter:
    """The filter of :func:`remembered`; everybody where that is none."""
    try:
        return PeopleFilter.model_validate({name: state.get(name) for name in KEPT})
    except ValidationError:
        return PeopleFilter()
