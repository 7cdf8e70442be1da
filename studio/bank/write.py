"""Writing people (after Synthetic Persona Bank): a prompt a person, from components drawn by code.

Who comes to mind is decided by code, which spreads better than a model does: age, work, place, what life is like. The
model makes one human being of it, unlike three of the last twenty; every 50th time it sees hand-written ones again.
"""

from __future__ import annotations

import random
from collections import deque
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from studio.bank.answer import PersonAnswer, given, not_like
from studio.bank.compose import compose
from studio.bank.journal import Attempt
from studio.bank.person import Person, person_id, person_text
from studio.bank.pipeline import Plan
from studio.bank.quality import Removal
from studio.bank.types import HopFinished
from studio.chatml import Frozen
from studio.spec.describe import bullets, joined, section
from studio.store.records import Method

RECENT, SHOWN, SEEDS_EVERY = 20, 3, 50
_SEEDS = 1_000_000_000
"""Added to the seed of the components, so that nobody written is the twin of somebody composed with the same seed."""


class Hard(Frozen):
    """How somebody is hard to talk to."""

    shows: str
    types: str


class WritePlan(Plan):
    """``wanted`` people, the same attempts for the same seed. ``known`` are the last of those there already."""

    method: Method = "write"
    schema = PersonAnswer
    note = ""

    def __init__(self, wanted: int, seed: int, *, extreme: bool = False, known: tuple[Person, ...] = ()) -> None:
        self.wanted = wanted
        self.told: list[HopFinished] = []
        self._seed, self._extreme = seed, extreme
        self._recent: deque[Person] = deque(known[-RECENT:], maxlen=RECENT)
        self._number = 0

    def next(self) -> Attempt | None:
        self._number += 1
        return self._attempt(self._number, compose(_SEEDS + self._seed, self._number))

    def began(self, attempt: Attempt) -> None:
        self._number = max(self._number, int(attempt.slot))

    def settled(self, attempt: Attempt, person: Person | None, removal: Removal | None) -> None:
        if person is not None:
            self._recent.append(person)

    def _attempt(self, number: int, card: Person) -> Attempt:
        rng = random.Random(f"write {self._seed} {self._extreme} {number}")
        drawn = Person(
            id=person_id("write", str(self._seed), "extreme" if self._extreme else "", str(number)),
            source="bank",
            method="write",
            name=card.name,
            age=card.age,
            profession=card.profession,
            place=card.place,
            language=card.language,
            extreme=self._extreme,
            seed=self._seed,
        )
        seeded = number % SEEDS_EVERY == 1 or len(self._recent) < SHOWN
        shown = rng.sample(seeds() if seeded else list(self._recent), SHOWN)
        again = (
            section("People as good as these, but none of them", bullets(person_text(one) for one in shown))
            if seeded
            else not_like(shown)
        )
        prompt = joined([f"Write person {number}.", given(drawn), _components(card, rng, self._extreme), again])
        references = () if seeded else tuple(one.id for one in shown)
        return Attempt(drawn=drawn, prompt=prompt, slot=str(number), references=references)


def _components(card: Person, rng: random.Random, extreme: bool) -> str:
    """What the model makes a person of, beyond what is fixed."""
    lines = [
        f"life just now: {card.background}",
        f"of character: {', '.join(card.traits)}" if card.traits else "",
        f"types: {card.chatting_style}",
    ]
    hard = ""
    if extreme:
        state = rng.choice(sorted(extremes()))
        one = rng.choice(extremes()[state])
        hard = section(
            f"This person is {state}, and hard to talk to",
            bullets(
                [one.shows, f"types: {one.types}", "Show it in behaviour, without a diagnosis and without malice."]
            ),
        )
    title = "Components. Work them in as facts of one life, in words of your own; drop what would contradict"
    return joined([section(title, bullets(lines)), hard])


@cache
def seeds() -> tuple[Person, ...]:
    """Six people written by hand."""
    found = _yaml("seeds.yaml")
    return tuple(Person(id=f"seed-{number}", source="hand", **one) for number, one in enumerate(found))


@cache
def extremes() -> dict[str, tuple[Hard, ...]]:
    """The harder components: state -> how it shows."""
    return {state: tuple(Hard.model_validate(one) for one in of) for state, of in _yaml("extreme.yaml").items()}


def _yaml(name: str) -> Any:
    text = (files("studio.bank.components") / name).read_text(encoding="utf-8")
    return YAML(typ="safe").load(text)
