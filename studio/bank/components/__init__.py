"""Components: what composed people are made of, from the hand-written lists in this folder."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import prod
from typing import Any

from ruamel.yaml import YAML

_FILES = files(__package__)
BANDS = ((19, 19, 0.25), (20, 24, 1.0), (25, 34, 1.0), (35, 44, 1.0), (45, 54, 1.0), (55, 64, 1.0), (65, 75, 0.95))
"""The census's age bands as far as people are composed: first and last age, and the share of the band that this is."""
Words = frozenset[str]
_SLOT = re.compile(r"\{\w+\}")
_OPTIONS = re.compile(r"\[[^]]+\]")
_MOST_WORDINGS = 12
"""More of them make a clause no likelier."""
_OWN = re.compile(r"\w+")


@dataclass(frozen=True)
class Work:
    """A profession or a course of study."""

    job: str
    weight: float
    """Thousands of jobs; of studies how often, by our judgement."""
    youngest: int
    oldest: int
    ages: tuple[float, ...]
    """Weight of each of :data:`BANDS`, cut at ``youngest`` and ``oldest``."""
    tags: Words
    does: tuple[str, ...]
    """Clauses without a subject; one that begins with ``*`` is done at night."""


@dataclass(frozen=True)
class Clause:
    """What may be said of people between two ages who are all of ``needs`` and none of ``bars``."""

    says: str
    youngest: int
    oldest: int
    needs: Words
    bars: Words
    adds: Words
    weight: float = 1.0
    """The more needs and the more wordings, the likelier: what is said in one way alone would be said too often."""

    def fits(self, age: int, life: Words) -> bool:
        return self.youngest <= age <= self.oldest and self.needs <= life and not self.bars & life


@dataclass(frozen=True)
class Quirk:
    says: str
    axes: Words
    youngest: int
    oldest: int
    bars: Words
    """Traits that it would contradict."""


@dataclass(frozen=True)
class Place:
    place: str
    language: str
    """BCP 47."""
    weight: float
    cities: tuple[str, ...]
    names: dict[tuple[str, str], tuple[str, ...]]
    """By ``women`` or ``men`` and ``old`` or ``young``."""
    surnames: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    said: str
    fits: str
    """``any``, ``working`` or ``settled``."""
    weight: float
    """The lower, the more words of its own it has: they are what repeats from one to the next."""


@dataclass(frozen=True)
class Components:
    professions: tuple[Work, ...]
    studies: tuple[Work, ...]
    nonworking: dict[str, tuple[str, ...]]
    """Clauses by ``retired``, ``jobless``, ``home parent`` and ``home carer``."""
    contexts: tuple[Clause, ...]
    pastimes: tuple[Clause, ...]
    locals: dict[str, tuple[Clause, ...]]
    """By place: what people do or have because they live there."""
    traits: dict[str, Words]
    """Each trait, and those which nobody has together with it; symmetric."""
    quirks: tuple[Quirk, ...]
    places: tuple[Place, ...]
    shapes: tuple[Shape, ...]
    usernames: tuple[str, ...]


@cache
def components() -> Components:
    """The lists as they are shipped, read once."""
    nonworking: dict[str, tuple[str, ...]] = {}
    for row in _table("nonworking"):
        nonworking[row["kind"]] = (*nonworking.get(row["kind"], ()), row["says"])
    return Components(
        professions=tuple(map(_profession, _table("professions"))),
        studies=tuple(map(_study, _table("studies"))),
        nonworking=nonworking,
        contexts=tuple(map(_clause, _table("contexts"))),
        pastimes=tuple(map(_clause, _table("pastimes"))),
        locals=_locals(_table("locals")),
        traits=_traits(_table("traits")),
        quirks=tuple(map(_quirk, _table("quirks"))),
        places=tuple(map(_place, YAML(typ="safe").load((_FILES / "places.yaml").read_text(encoding="utf-8")))),
        shapes=tuple(
            Shape(said.strip(), fits.strip(), 1 / (1 + len(_OWN.findall(_SLOT.sub("", said)))) ** 2)
            for fits, _, said in (line.partition("|") for line in _lines("shapes"))
        ),
        usernames=tuple(word for line in _lines("usernames") for word in line.split()),
    )


def _lines(name: str, suffix: str = "txt") -> list[str]:
    text = (_FILES / f"{name}.{suffix}").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_lines(name, "csv")))


def _profession(row: dict[str, str]) -> Work:
    youngest = int(row["from"])
    counts = [float(row[band]) for band in ("16-19", "20-24", "25-34", "35-44", "45-54", "55-64", "65+")]
    ages = []
    for count, (first, last, share) in zip(counts, BANDS, strict=True):
        kept = max(0, last - max(first, youngest) + 1) / (last - first + 1)
        ages.append(count * share * kept)
    does = tuple(row["does"].split(";"))
    tags, oldest = frozenset(row["tags"].split()), BANDS[-1][1]
    return Work(row["profession"], float(row["thousand"]), youngest, oldest, tuple(ages), tags, does)


def _study(row: dict[str, str]) -> Work:
    youngest, oldest = int(row["youngest"]), int(row["oldest"])
    ages = tuple(float(max(0, min(last, oldest) - max(first, youngest) + 1)) for first, last, _ in BANDS)
    tags = frozenset() if row["study"].startswith("apprentice") else frozenset({"university"})
    return Work(row["study"], float(row["weight"]), youngest, oldest, ages, tags, tuple(row["does"].split(";")))


def _clause(row: dict[str, str]) -> Clause:
    needs, bars, adds = (frozenset(row.get(name, "").split()) for name in ("needs", "bars", "adds"))
    weight = (1 + len(needs)) * min(_MOST_WORDINGS, wordings(row["says"])) ** 0.5
    return Clause(row["says"], int(row["youngest"]), int(row["oldest"]), needs, bars, adds, weight)


def _locals(rows: list[dict[str, str]]) -> dict[str, tuple[Clause, ...]]:
    found: dict[str, tuple[Clause, ...]] = {}
    for row in rows:
        clause = Clause(row["says"], 0, BANDS[-1][1], frozenset(), frozenset(row["bars"].split()), frozenset())
        found[row["place"]] = (*found.get(row["place"], ()), clause)
    return found


def wordings(says: str) -> int:
    """In how many ways a clause with its ``[one|other]`` can be said."""
    return prod(1 + found.count("|") for found in _OPTIONS.findall(says))


def _traits(rows: list[dict[str, str]]) -> dict[str, Words]:
    against = {row["trait"]: set(row["not with"].split()) for row in rows}
    for trait, others in list(against.items()):
        for other in others:
            against[other].add(trait)
    return {trait: frozenset(others) for trait, others in against.items()}


def _quirk(row: dict[str, str]) -> Quirk:
    bars = frozenset(row["not with"].split())
    return Quirk(row["says"], frozenset(row["axis"].split()), int(row["youngest"]), int(row["oldest"]), bars)


def _place(row: dict[str, Any]) -> Place:
    names = {(sex, era): tuple(row[sex][era]) for sex in ("women", "men") for era in ("old", "young")}
    cities, surnames = tuple(row["cities"]), tuple(row["surnames"])
    return Place(row["place"], row["language"], float(row["weight"]), cities, names, surnames)
