"""Kinds of words that may be exchanged for others of their kind: those of the spec, and a few built in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from random import Random

from studio.generate.offline.text import bounded
from studio.spec.models import Spec

_MONTHS = "January February March April May June July August September October November December".split()
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Given names that are no words of their own (no Mark, Grace, Will or May), so that a match is a name.
_NAMES = """Aisha Anna Ben Carlos Chen Clara Daniel David Diana Elena Emma Fatima Hannah Henry Ines Jonas Julia Kate
Kenji Laura Leo Linda Lucas Maria Martin Michael Nina Noah Nora Olga Oliver Olivia Omar Paul Peter Priya Rachel Sam
Samuel Sarah Simon Sofia Susan Thomas Tina Tom Victor Yara""".split()
_SUMS = ("12", "15", "25", "30", "45", "60", "75", "80", "95", "120", "140", "160", "210", "250", "320", "480", "650")
_ORDINAL = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}


@dataclass(frozen=True)
class Kind:
    """Exchangeable words: where they are in a text, and others of them.

    ``find`` matches every one of them; ``others(value, random)`` gives candidates to stand in for ``value``.
    ``user_only``: exchanged only where a user says one, since in a reply alone it may be a fact (an opening hour).
    """

    name: str
    find: re.Pattern[str]
    others: Callable[[str, Random], Collection[str]]
    user_only: bool = False


def spec_kinds(spec: Spec, kept_out: Iterable[str]) -> tuple[Kind, ...]:
    """The spec's slots; values that hold one of ``kept_out`` (what is held out for probes) are not given out."""
    barred = re.compile("|".join(bounded(phrase) for phrase in kept_out) or r"(?!)", re.IGNORECASE)
    kinds = []
    for name, values in spec.slots.items():
        free = tuple(value for value in values if not barred.search(value))
        kinds.append(Kind(name, _any_of(values), _always(free)))
    return tuple(kinds)


def built_in_kinds(spec: Spec, context: str, kept_out: Iterable[str]) -> tuple[Kind, ...]:
    """Weekdays, dates, clock times, first names and amounts, but for what the spec's own slots deal with.

    ``context`` is the spec's document: an amount or a time that stands there is a fact and stays.
    """
    barred = re.compile("|".join(bounded(phrase) for phrase in kept_out) or r"(?!)", re.IGNORECASE)
    slots = [value for values in spec.slots.values() for value in values]

    def allowed(make: Callable[[str, Random], Iterable[str]]) -> Callable[[str, Random], Collection[str]]:
        def others(value: str, random: Random) -> Collection[str]:
            if re.search(bounded(value), context):
                return ()
            return tuple(other for other in make(value, random) if not barred.search(other))

        return others

    english = spec.language.casefold().split("-")[0] == "en"
    found = []
    for name, pattern, make, only_english in _BUILT_IN:
        if (only_english and not english) or any(pattern.search(value) for value in slots):
            continue
        found.append(Kind(name, pattern, allowed(make), user_only=True))
    return tuple(found)


def _always(values: Collection[str]) -> Callable[[str, Random], Collection[str]]:
    return lambda _value, _random: values


def _any_of(values: Iterable[str]) -> re.Pattern[str]:
    """Any of the values, longest first. A small first letter may be a capital; a capital one, in a phrase, small."""
    parts = []
    for value in sorted(values, key=len, reverse=True):
        first, rest = value[:1], value[1:]
        swapped = first.swapcase()
        if swapped != first and len(swapped) == 1 and (first.islower() or " " in value):
            parts.append(f"(?:{bounded(value)}|{bounded(swapped + rest)})")
        else:
            parts.append(bounded(value))
    return re.compile("|".join(parts))


def _weekdays(value: str, random: Random) -> Iterable[str]:
    return _WEEKDAYS


def _dates(value: str, random: Random) -> Iterable[str]:
    """Other days written as ``value`` is: ``May 20th``, ``May 20``, ``20 May``."""
    for _ in range(12):
        month, day = random.choice(_MONTHS), random.randint(2, 28)
        number = f"{day}{_ORDINAL.get(day, 'th')}" if re.search(r"\d(?:st|nd|rd|th)", value) else str(day)
        yield f"{number} {month}" if value[0].isdigit() else f"{month} {number}"


def _times(value: str, random: Random) -> Iterable[str]:
    """Other times written as ``value`` is: ``5 pm``, ``5:30 pm``, ``17:30``."""
    half = re.search(r"\s*[ap]\.?m\.?", value, re.IGNORECASE)
    for _ in range(12):
        minutes = random.choice(("00", "15", "30", "45")) if ":" in value else ""
        if half:
            hour = random.randint(8, 11) if "a" in half[0].casefold() else random.randint(1, 7)
            yield f"{hour}:{minutes}{half[0]}" if minutes else f"{hour}{half[0]}"
        else:
            yield f"{random.randint(8, 19):02}:{minutes}"


def _names(value: str, random: Random) -> Iterable[str]:
    return _NAMES


def _sums(value: str, random: Random) -> Iterable[str]:
    """Other amounts in the currency of ``value``, written as it is."""
    return (re.sub(r"\d[\d.,]*", amount, value, count=1) for amount in random.sample(_SUMS, 8))


_BUILT_IN: tuple[tuple[str, re.Pattern[str], Callable[[str, Random], Iterable[str]], bool], ...] = (
    (
        "date",
        re.compile(rf"\b(?:(?:{'|'.join(_MONTHS)}) \d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}} (?:{'|'.join(_MONTHS)}))\b"),
        _dates,
        True,
    ),
    ("weekday", re.compile(rf"\b(?:{'|'.join(_WEEKDAYS)})\b"), _weekdays, True),
    (
        "clock",
        re.compile(r"\b(?:\d{1,2}(?::\d\d)?\s*(?:[ap]m\b|[ap]\.m\.)|(?:[01]?\d|2[0-3]):[0-5]\d)", re.IGNORECASE),
        _times,
        False,
    ),
    (
        "amount",
        re.compile(r"(?:[$€£¥]\s?\d[\d.,]*\d|\b\d{2,}(?: ?[€£¥]| (?:dollars|euros|pounds|yen)\b))"),
        _sums,
        False,
    ),
    ("name", re.compile(rf"\b(?:{'|'.join(_NAMES)})\b"), _names, False),
)
