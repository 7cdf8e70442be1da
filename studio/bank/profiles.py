"""Profiles: topics x user types of the spec's file, a fresh person and a query of their own each time.

The example in the file is one voice; a bank made of it alone asks the same question again and again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import count

from studio.bank.answer import AskerAnswer, PersonAnswer, given
from studio.bank.journal import Attempt
from studio.bank.person import Person, person_id
from studio.bank.pipeline import Plan
from studio.bank.quality import Removal
from studio.bank.types import HopFinished
from studio.spec import Topic, UserType
from studio.spec.describe import block, bullets, joined, section
from studio.store.records import Method

SHOWN = 3
"""The last so many of a topic and user type that the next one is not to be like."""


class ProfilesPlan(Plan):
    """``wanted`` people over all user types of ``topics`` in turn."""

    method: Method = "profiles"
    schema: type[PersonAnswer] = AskerAnswer
    note = ""

    def __init__(self, topics: Sequence[Topic], wanted: int, seed: int) -> None:
        self.wanted = wanted
        self.told: list[HopFinished] = []
        self._seed = seed
        self._recent: defaultdict[str, deque[Person]] = defaultdict(lambda: deque(maxlen=SHOWN))
        self._begun: set[str] = set()
        self._slots = profile_slots(topics)

    def next(self) -> Attempt | None:
        for topic, kind, turn in self._slots:
            recent = tuple(self._recent[f"{topic.topic}\0{kind.example_type}"])
            attempt = profile_attempt(topic, kind, turn, self._seed, recent)
            if attempt.id not in self._begun:
                return attempt
        return None

    def began(self, attempt: Attempt) -> None:
        self._begun.add(attempt.id)

    def settled(self, attempt: Attempt, person: Person | None, removal: Removal | None) -> None:
        if person is not None:
            self._recent[f"{person.topic}\0{person.role}"].append(person)


def profile_slots(topics: Sequence[Topic]) -> Iterator[tuple[Topic, UserType, int]]:
    """Every user type once, then every one again; endless where there is any. The number is its turn, from 0."""
    for turn in count() if any(topic.example_types for topic in topics) else ():
        for topic in topics:
            for kind in topic.example_types:
                yield topic, kind, turn


def profile_attempt(
    topic: Topic, kind: UserType, turn: int, seed: int, recent: Sequence[Person] = (), *, about: str = "", use: str = ""
) -> Attempt:
    """What is asked for one fresh person and their query: an :class:`studio.bank.answer.AskerAnswer`.

    ``recent`` are those whom nobody may be like, ``about`` a section on whom they turn to. ``use`` sets the people of
    one purpose apart from those of another, by their ids.
    """
    drawn = Person(
        id=person_id("profiles", *([use] if use else []), str(seed), topic.topic, kind.example_type, str(turn)),
        source="bank",
        method="profiles",
        role=kind.example_type,
        topic=topic.topic,
        seed=seed,
    )
    prompt = joined(
        [
            "Write somebody who turns to a chatbot, and what they type there.",
            about,
            section("They come with", block("topic", topic.topic)),
            section("They are one of these users", block("user-type", kind.example_type)),
            section(
                "An example of such a user. Write another one, with another life and another question",
                block("example", f"{kind.example_background}\n{kind.example_query}"),
            ),
            section(
                "There already. Write nobody like them, and ask nothing that they ask",
                bullets(f"{one.background} Asks: {one.query}" for one in recent),
            ),
            given(drawn),
            f"This is number {turn + 1} of them. The query is what they type, in their own way of writing.",
        ]
    )
    references = tuple(one.id for one in recent)
    return Attempt(drawn=drawn, prompt=prompt, slot=f"{topic.topic} / {kind.example_type}", references=references)
