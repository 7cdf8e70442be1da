"""Attempts at an example: each has a number in its scenario, from which seed, person and id follow."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from random import Random

from studio.bank import PeopleSource
from studio.store import Person

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


class Attempts:
    """Hands out attempts, none twice, and none whose example is ``known``: the ids of all that is stored."""

    def __init__(self, people: PeopleSource, seed: int, known: Container[str]) -> None:
        self._people, self._seed, self._known = people, seed, known
        self._given: set[str] = set()
        self._numbers: Counter[tuple[str, str]] = Counter()

    def next(self, category: str, scenario: str) -> Attempt:
        """The next attempt at ``scenario`` whose example is not there yet."""
        while True:
            number = self._numbers[category, scenario]
            self._numbers[category, scenario] += 1
            seed = _digest(f"{self._seed}", category, scenario, f"{number}") % _SEEDS
            example_id = f"{_digest(category, scenario, f'{seed}'):016x}"
            if example_id not in self._known and example_id not in self._given:
                self._given.add(example_id)
                person = self._people.draw(Random(seed), category, scenario)
                return Attempt(category, scenario, number, seed, person, example_id)


def _digest(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")
