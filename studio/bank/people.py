"""People who ask: those of a spec's profiles, of a bank in a file or in the workspace, or else composed ones; and who
of them asks next, by the weights of the spec."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from studio.bank import compose
from studio.bank.components import components
from studio.bank.formats import read_people
from studio.bank.person import Person, person_id
from studio.spec import LoadedSpec, Topic

BUILT_IN = 200
"""People composed on the spot where the workspace has no bank of its own."""
_BUILT_IN_SEED = -1
"""Not one of those that a bank is composed with, so that the two can be told apart."""
MOST_ASKING = 100_000
"""People of a file who ask: of more, as many are drawn, so that a file of millions is never held."""
ANYBODY = Person(id="anybody", source="bank", name="Somebody")
"""Who asks where a spec wants neither profiles nor bank."""
_WORD = re.compile(r"[^\W\d_]{4,}")
_FIT = 4
"""How much each word that topic and scenario share adds to the weight 1 of a person."""


def people_of(topics: Iterable[Topic]) -> tuple[Person, ...]:
    """Every user type of ``topics`` as a person, in their order, with a query and a way of writing of their own.

    How they write follows from the id: it is the same wherever they are made again.
    """
    found = []
    styles = [
        one.says for one in components().quirks if one.youngest <= 30 and one.oldest >= 60 and "tongue" not in one.axes
    ]
    for topic in topics:
        for kind in topic.example_types:
            name = person_id("profiles", topic.topic, kind.example_type, kind.example_background, kind.example_query)
            person = Person(
                id=name,
                source="profiles",
                role=kind.example_type,
                background=kind.example_background,
                chatting_style=styles[int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(styles)],
                topic=topic.topic,
                query=kind.example_query,
                method="profiles",
            )
            found.append(person)
    return tuple(found)


class PeopleSource:
    """People to draw from. What is drawn depends on the generator that is passed and on nothing else."""

    def __init__(self, groups: Sequence[tuple[float, tuple[Person, ...]]]) -> None:
        """``groups`` are pairs of weight and people; empty ones are left out, weights need not add up to 1."""
        self._groups = [(weight, people) for weight, people in groups if people]
        self._topics = [
            [_stems(f"{one.topic} {one.query}") if one.topic else set() for one in people]
            if any(one.topic for one in people)
            else None
            for _, people in self._groups
        ]

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(person for _, people in self._groups for person in people)

    def draw(self, rng: random.Random, category: str, scenario: str) -> Person:
        """Somebody for ``scenario``: first a group by its weight, then one of it, sooner one whose topic fits."""
        if not self._groups:
            return ANYBODY
        weights = [weight for weight, _ in self._groups]
        (at, *_) = rng.choices(range(len(self._groups)), weights if any(weights) else None)
        people, topics = self._groups[at][1], self._topics[at]
        if topics is None:
            return rng.choice(people)
        wanted = _stems(f"{category} {scenario}")
        (person, *_) = rng.choices(people, [1 + _FIT * len(wanted & topic) for topic in topics])
        return person


def people_source(loaded: LoadedSpec, stored: Sequence[Person] = ()) -> PeopleSource:
    """The people of ``loaded``: its profiles, and its bank, which is the file that ``users.bank`` names, or the bank
    ``stored`` in the workspace, or else the built-in one.

    Built-in people among the ``stored`` do not make a bank: they are there because an example of theirs is. Nor do the
    cards that earlier versions made, which composed people replace. Raises :class:`studio.errors.UserError` where the
    file of the bank cannot be read.
    """
    users = loaded.spec.users
    bank: tuple[Person, ...] = ()
    if loaded.bank_path is not None:
        bank = _sample(read_people(loaded.bank_path), MOST_ASKING)
    elif users.bank is not None:
        bank = tuple(sorted(_built(stored), key=lambda person: person.id)) or _built_in()
    return PeopleSource([(users.weight.profiles, people_of(loaded.topics)), (users.weight.bank, bank)])


@dataclass(frozen=True)
class Heads:
    """How many of those who are stored came from where: ``drawn`` with generating, which had no bank to draw from."""

    profiles: int = 0
    built: int = 0
    drawn: int = 0

    @property
    def told(self) -> str:
        """``40 in the bank, 24 of the profiles, 143 came with generating``; empty where there is nobody."""
        parts = (self.built, "in the bank"), (self.profiles, "of the profiles"), (self.drawn, "came with generating")
        return ", ".join(f"{count} {what}" for count, what in parts if count)


def heads(stored: Sequence[Person]) -> Heads:
    profiles, built = sum(person.source == "profiles" for person in stored), len(_built(stored))
    return Heads(profiles, built, len(stored) - profiles - built)


def _sample(people: Iterable[Person], most: int) -> tuple[Person, ...]:
    """Everybody, or ``most`` of them, each as likely as the other (reservoir sampling) and the same ones each time."""
    kept: list[Person] = []
    rng = random.Random(0)
    for number, person in enumerate(people):
        if number < most:
            kept.append(person)
        elif (place := rng.randrange(number + 1)) < most:
            kept[place] = person
    return tuple(kept)


def _built(stored: Sequence[Person]) -> list[Person]:
    """The workspace's bank: neither built-in people nor cards, who have no method."""
    return [one for one in stored if one.source == "bank" and one.method and one.seed != _BUILT_IN_SEED]


@cache
def _built_in() -> tuple[Person, ...]:
    return tuple(compose.people(BUILT_IN, _BUILT_IN_SEED))


def _stems(text: str) -> set[str]:
    """The first five letters of each longer word: enough to match ``transfers`` with ``transfer``."""
    return {word[:5].lower() for word in _WORD.findall(text)}
