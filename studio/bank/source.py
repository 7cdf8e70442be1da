"""Who asks next: people drawn from profiles and bank, by the weights of the spec."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from studio.bank.people import build
from studio.bank.profiles import people_of
from studio.spec import LoadedSpec
from studio.store.records import Person

BUILT_IN = 200
"""People made on the spot where the workspace has no bank of its own."""
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
    """The people of ``loaded``: its profiles, and the bank ``stored`` in the workspace or else a built-in one."""
    users = loaded.spec.users
    bank: tuple[Person, ...] = ()
    if users.bank is not None:
        bank = tuple(sorted((p for p in stored if p.source == "bank"), key=lambda person: person.id))
        bank = bank or tuple(build(BUILT_IN))
    return PeopleSource([(users.weight.profiles, people_of(loaded.topics)), (users.weight.bank, bank)])


def _topic_stems(person: Person) -> frozenset[str]:
    return _stems(f"{person.topic} {person.query}") if person.topic else frozenset()


def _stems(text: str) -> frozenset[str]:
    """The first five letters of each longer word: enough to match ``transfers`` with ``transfer``."""
    return frozenset(word[:5].lower() for word in _WORD.findall(text))
