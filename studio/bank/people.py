"""People: from the built-in components, every role, tone and background in turn and nobody twice; from a spec's
profiles, one for each user type of each topic; and who of them asks next, by the weights of the spec."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from studio.bank.components import components
from studio.bank.person import Person, person_id, person_text
from studio.dedup import NearDuplicates
from studio.spec import LoadedSpec, Topic

SIMILAR = 0.8
"""Two people whose texts share this much of their words are taken for one."""
_MISSES = 200
"""After so many people in a row who are like somebody there already, there is nobody new to be had."""
BUILT_IN = 200
"""People made on the spot where the workspace has no bank of its own."""
_BUILT_IN_SEED = -1
"""Not one of those that a bank is built with, so that the two can be told apart."""
ANYBODY = Person(id="anybody", source="bank", name="Somebody")
"""Who asks where a spec wants neither profiles nor bank."""
_WORD = re.compile(r"[^\W\d_]{4,}")
_FIT = 4
"""How much each word that topic and scenario share adds to the weight 1 of a person."""

Part = TypeVar("Part")


def build(n: int, seed: int = 0) -> Iterator[Person]:
    """``n`` different people, the same ones for the same ``seed``, in an order in which any first part is diverse.

    Fewer where the components hold no more different people. A longer build begins with the shorter one.
    """
    rng, parts = random.Random(f"bank {seed}"), components()
    roles, tones = _deck(parts.roles, rng), _deck(parts.tones, rng)
    backgrounds, names = _deck(parts.backgrounds, rng), _deck(parts.names, rng)
    made, misses = 0, 0
    seen = NearDuplicates(threshold=SIMILAR)
    for role, tone, background, name in zip(roles, tones, backgrounds, names, strict=False):
        if made >= n or misses >= _MISSES:
            return
        person = Person(
            id=person_id("bank", name, role, background, tone.tone),
            source="bank",
            name=name,
            role=role,
            background=background,
            chatting_style=f"{tone.tone}, {tone.writes}",
        )
        text = person_text(person)
        if seen.duplicate_of(text) is not None:
            misses += 1
            continue
        seen.add(person.id, text)
        made, misses = made + 1, 0
        yield person


def people_of(topics: Iterable[Topic]) -> tuple[Person, ...]:
    """Every user type of ``topics`` as a person, in their order, with a query and a tone of their own.

    The tone follows from the id: it is the same one wherever they are made again.
    """
    found, tones = [], components().tones
    for topic in topics:
        for kind in topic.example_types:
            name = person_id("profiles", topic.topic, kind.example_type, kind.example_background, kind.example_query)
            tone = tones[int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(tones)]
            person = Person(
                id=name,
                source="profiles",
                role=kind.example_type,
                background=kind.example_background,
                chatting_style=f"{tone.tone}, {tone.writes}",
                topic=topic.topic,
                query=kind.example_query,
            )
            found.append(person)
    return tuple(found)


def _deck(cards: Sequence[Part], rng: random.Random) -> Iterator[Part]:
    """Endless draws: the deck is shuffled again only when every card was drawn."""
    while cards:
        yield from rng.sample(cards, len(cards))


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
        topics = (_stems(f"{person.topic} {person.query}") if person.topic else set() for person in people)
        (person, *_) = rng.choices(people, [1 + _FIT * len(wanted & topic) for topic in topics])
        return person


def people_source(loaded: LoadedSpec, stored: Sequence[Person] = ()) -> PeopleSource:
    """The people of ``loaded``: its profiles, and the bank ``stored`` in the workspace or else the built-in one.

    Built-in people among the ``stored`` do not make a bank: they are there because an example of theirs is.
    """
    users = loaded.spec.users
    bank: tuple[Person, ...] = ()
    if users.bank is not None:
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
        """``40 built, 24 of the profiles, 143 came with generating``; empty where there is nobody."""
        parts = (self.built, "built"), (self.profiles, "of the profiles"), (self.drawn, "came with generating")
        return ", ".join(f"{count} {what}" for count, what in parts if count)


def heads(stored: Sequence[Person]) -> Heads:
    profiles, built = sum(person.source == "profiles" for person in stored), len(_built(stored))
    return Heads(profiles, built, len(stored) - profiles - built)


def _built(stored: Sequence[Person]) -> list[Person]:
    known = {person.id for person in _built_in()} if any(person.source == "bank" for person in stored) else set()
    return [person for person in stored if person.source == "bank" and person.id not in known]


@cache
def _built_in() -> tuple[Person, ...]:
    return tuple(build(BUILT_IN, _BUILT_IN_SEED))


def _stems(text: str) -> set[str]:
    """The first five letters of each longer word: enough to match ``transfers`` with ``transfer``."""
    return {word[:5].lower() for word in _WORD.findall(text)}
