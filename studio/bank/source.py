"""Who asks next: people drawn from profiles and bank, by the weights of the spec."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from studio.bank.people import build
from studio.bank.profiles import people_of
from studio.spec import LoadedSpec
from studio.store.records import Person

BUILT_IN = 200
"""People made on the spot where the workspace has no bank of its own."""
_BUILT_IN_SEED = -1
"""Not one of those that a bank is built with, so that the two can be told apart."""
ANYBODY = Person(id="anybody", source="bank", name="Somebody")
"""Who asks where a spec wants neither profiles nor bank."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_FIT = 4
"""How much each word that topic and scenario share adds to the weight 1 of a person."""


class PeopleSource:
    """People to draw from. What is drawn depends on the generator that is passed and on nothing else."""

    def __init__(self, groups: Sequence[tuple[float, tuple[Person, ...]]]) -> None:
        """``groups`` are pairs of weight and people; empty ones are left out, weights need not add up to 1."""
        self._groups = [(weight, people) for weight, people in groups if people]

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(person for _, people in self._groups for person in people)

    def draw(self, rng: random.Random, category: str, scenario: str) -> Person:
        """Somebody for ``scenario``: first a group by its weight, then one of it, sooner one whose topic fits."""
        if not self._groups:
            return ANYBODY
        weights = [weight for weight, _ in self._groups]
        (_, people), *_ = rng.choices(self._groups, weights if any(weights) else None)
        wanted = _stems(f"{category} {scenario}")
        (person, *_) = rng.choices(people, [1 + _FIT * len(wanted & _topic_stems(person)) for person in people])
        return person


def people_source(loaded: LoadedSpec, stored: Sequence[Person] = ()) -> PeopleSource:
    """The people of ``loaded``: its profiles, and the bank ``stored`` in the workspace or else the built-in one.

    Built-in people among the ``stored`` do not make a bank: they are there because an example of theirs is.
    """
    users = loaded.spec.users
    bank = _bank(stored) if users.bank is not None else ()
    return PeopleSource([(users.weight.profiles, people_of(loaded.topics)), (users.weight.bank, bank)])


@dataclass(frozen=True)
class Heads:
    """How many of those who are stored came from where: ``drawn`` with generating, which had no bank to draw from."""

    profiles: int = 0
    built: int = 0
    drawn: int = 0

    @property
    def told(self) -> str:
        """``40 built, 24 of the profiles, 143 came with generating``; empty where there is nobody."""
        parts = (self.built, "built"), (self.profiles, "of the profiles"), (self.drawn, "came with generating")
        return ", ".join(f"{count} {what}" for count, what in parts if count)


def heads(stored: Sequence[Person]) -> Heads:
    profiles, built = sum(person.source == "profiles" for person in stored), len(_built(stored))
    return Heads(profiles, built, len(stored) - profiles - built)


def _bank(stored: Sequence[Person]) -> tuple[Person, ...]:
    return tuple(sorted(_built(stored), key=lambda person: person.id)) or _built_in()


def _built(stored: Sequence[Person]) -> list[Person]:
    known = {person.id for person in _built_in()} if any(person.source == "bank" for person in stored) else set()
    return [person for person in stored if person.source == "bank" and person.id not in known]


@cache
def _built_in() -> tuple[Person, ...]:
    return tuple(build(BUILT_IN, _BUILT_IN_SEED))


def _topic_stems(person: Person) -> frozenset[str]:
    return _stems(f"{person.topic} {person.query}") if person.topic else frozenset()


def _stems(text: str) -> frozenset[str]:
    """The first five letters of each longer word: enough to match ``transfers`` with ``transfer``."""
    return frozenset(word[:5].lower() for word in _WORD.findall(text))
