"""The plan: attempts at each scenario, the same ones in every run, each with a seed and somebody who asks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from studio.bank import PeopleSource
from studio.chatml import Messages
from studio.spec import Spec
from studio.store import Person

Key = tuple[str, str]
"""A category and one of its scenarios."""

_SEEDS = 2**31
"""Seeds are below this: the range that endpoints take."""


@dataclass(frozen=True)
class Attempt:
    """One example about to be written. The same number of the same scenario is the same attempt in every run."""

    category: str
    scenario: str
    number: int
    seed: int
    person: Person
    example_id: str
    messages: Messages = ()
    """The conversation where it is there already, to be played back."""
    more: tuple[str, ...] = ()
    """What its author is told besides: what it is written for, openings that are worn."""


class Attempts(Protocol):
    """Hands out attempts, none twice, and none whose example is there already."""

    def next(self, category: str, scenario: str) -> Attempt | None:
        """The next attempt at ``scenario``; None where there is none left."""

    def left(self) -> Mapping[Key, int] | None:
        """How many can still be had of each scenario; None where there is no end of them."""


class Drawn:
    """Attempts without end, each with somebody drawn to ask. ``known`` holds the ids of all that is stored."""

    def __init__(self, people: PeopleSource, seed: int, known: Container[str]) -> None:
        self._people, self._seed, self._known = people, seed, known
        self._given: set[str] = set()
        self._numbers: Counter[Key] = Counter()

    def next(self, category: str, scenario: str) -> Attempt:
        while True:
            number = self._numbers[category, scenario]
            self._numbers[category, scenario] += 1
            seed = int(digest_of(f"{self._seed}", category, scenario, f"{number}"), 16) % _SEEDS
            example_id = digest_of(category, scenario, f"{seed}")
            if example_id not in self._known and example_id not in self._given:
                self._given.add(example_id)
                person = self._people.draw(Random(seed), category, scenario)
                return Attempt(category, scenario, number, seed, person, example_id)

    def left(self) -> None:
        return None


def open_scenarios(spec: Spec) -> tuple[Key, ...]:
    """All that is trained on, in the order of the spec."""
    return tuple((name, item) for name, one in spec.scenarios.items() if not one.holdout for item in one.items)


def digest_of(*parts: str) -> str:
    """Sixteen hex digits that tell these parts from any others."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
