"""Profiles: topics x user types of the spec's file, a fresh person and a query of their own each time.

The example in the file is one voice; a bank made of it alone asks the same question again and again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from studio.bank.answer import AskerAnswer, PersonAnswer, given
from studio.bank.journal import Attempt
from studio.bank.person import Person, person_id
from studio.bank.pipeline import Plan
from studio.bank.quality import Removal
from studio.bank.types import HopFinished
from studio.spec import Topic, UserType
from studio.spec.describe import block, bullets, joined, section
from studio.store.records import Method

_SHOWN = 3


class ProfilesPlan(Plan):
    """``wanted`` people over all user types of ``topics`` in turn."""

    method: Method = "profiles"
    schema: type[PersonAnswer] = AskerAnswer
    note = ""

    def __init__(self, topics: Sequence[Topic], wanted: int, seed: int) -> None:
        self.wanted = wanted
        self.told: list[HopFinished] = []
        self._seed = seed
        self._recent: defaultdict[str, deque[Person]] = defaultdict(lambda: deque(maxlen=_SHOWN))
        self._begun: set[str] = set()
        self._slots = self._turns(topics)

    def next(self) -> Attempt | None:
        for topic, kind, turn in self._slots:
            attempt = self._attempt(topic, kind, turn)
            if attempt.id not in self._begun:
                return attempt
        return None

    def began(self, attempt: Attempt) -> None:
        self._begun.add(attempt.id)

    def settled(self, attempt: Attempt, person: Person | None, removal: Removal | None) -> None:
        if person is not None:
            self._recent[f"{person.topic}\0{person.role}"].append(person)

    def _turns(self, topics: Sequence[Topic]) -> Iterator[tuple[Topic, UserType, int]]:
        """Every user type once, then every one again; endless where there is any."""
        turn = 0
        while any(topic.example_types for topic in topics):
            for topic in topics:
                for kind in topic.example_types:
                    yield topic, kind, turn
            turn += 1

    def _attempt(self, topic: Topic, kind: UserType, turn: int) -> Attempt:
        drawn = Person(
            id=person_id("profiles", str(self._seed), topic.topic, kind.example_type, str(turn)),
            source="bank",
            method="profiles",
            role=kind.example_type,
            topic=topic.topic,
            seed=self._seed,
        )
        recent = tuple(self._recent[f"{topic.topic}\0{kind.example_type}"])
        prompt = joined(
            [
                "Write somebody who turns to a chatbot, and what they type there.",
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
        return Attempt(drawn=drawn, prompt=prompt, slot=f"{topic.topic} / {kind.example_type}", references=_ids(recent))


def _ids(people: Sequence[Person]) -> tuple[str, ...]:
    return tuple(person.id for person in people)
