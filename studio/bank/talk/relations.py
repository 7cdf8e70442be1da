"""Relations between the two who talk: how often each is drawn, its law of ages, and what the two know of each other.

Our own judgement throughout; the law of a relation is a normal distribution of the difference in age, cut at its ends.
"""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ruamel.yaml import YAML

from studio.bank.person import OLDEST, YOUNGEST, Person
from studio.chatml import Frozen

Side = Literal["first", "second"]
Medium = Literal["chat app", "forum", "phone call", "face to face"]
Knows = Literal["life", "work", "face", "name", "nothing"]
Shared = Literal["", "place", "language"]
Jobs = Literal["any", "work"] | tuple[str, ...]
ANY_AGE = (YOUNGEST, OLDEST)
_WITHOUT_WORK = ("retired", "student", "unemployed", "out of work", "full-time parent", "full-time carer", "homemaker")


class Role(Frozen):
    """Who can be the one or the other of a relation. Equal roles share one index of people."""

    ages: tuple[int, int] = ANY_AGE
    jobs: Jobs = "any"
    barred: tuple[str, ...] = ()

    def fits(self, person: Person) -> bool:
        """Whether somebody of a known age can be it."""
        job = (person.profession or person.role).lower()
        if person.age is None or not self.ages[0] <= person.age <= self.ages[1]:
            return False
        if self.jobs == "any":
            return True
        if not job or any(word in job for word in (*_WITHOUT_WORK, *self.barred)):
            return False
        return self.jobs == "work" or any(word in job for word in self.jobs)


class Relation(Frozen):
    """``first`` is what the first one is to the second, and the other way round."""

    kind: str
    weight: float
    first: str
    second: str = ""
    gap: tuple[float, float, int, int]
    """Years that the first is older: mean, standard deviation, least, most."""
    ages: tuple[tuple[int, int], tuple[int, int]] = (ANY_AGE, ANY_AGE)
    jobs: tuple[Jobs, Jobs] = ("any", "any")
    barred: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    same: Shared = ""
    knows: Knows
    familiarity: tuple[str, ...]
    formality: tuple[str, ...]
    media: dict[Medium, float]
    visits: bool = False

    def role(self, side: Side) -> Role:
        at = 0 if side == "first" else 1
        return Role(ages=self.ages[at], jobs=self.jobs[at], barred=self.barred[at])

    def is_to_other(self, side: Side) -> str:
        """What the one at ``side`` is to the other: ``your boss``."""
        return self.first if side == "first" or not self.second else self.second

    def draw_gap(self, rng: random.Random) -> int:
        """Years that the first is older, by the law of the relation."""
        mean, spread, least, most = self.gap
        drawn = (round(rng.gauss(mean, spread)) for _ in range(20))
        return next((gap for gap in drawn if least <= gap <= most), round(mean))

    def draw_medium(self, rng: random.Random, first: Person, second: Person) -> Medium:
        """How they talk; face to face where they live in one place, or visit each other."""
        meet = self.visits or (first.place == second.place and first.place != "")
        open_ = {medium: weight for medium, weight in self.media.items() if meet or medium != "face to face"}
        return rng.choices(list(open_), list(open_.values()))[0]


@cache
def relations() -> dict[str, Relation]:
    """By kind."""
    return {one["kind"]: Relation.model_validate(one) for one in _yaml("relations.yaml")}


@cache
def emotions() -> tuple[str, ...]:
    return tuple(_yaml("moods.yaml")["emotions"])


@cache
def seed_topics() -> tuple[str, ...]:
    """Topics written by hand."""
    return tuple(_yaml("moods.yaml")["topics"])


def _yaml(name: str) -> Any:
    return YAML(typ="safe").load((files("studio.bank.talk") / name).read_text(encoding="utf-8"))
