"""Enriching: a short person (a line of Persona Hub, a user type) becomes a whole one; what was known of them stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.bank.answer import PersonAnswer, given
from studio.bank.journal import Attempt
from studio.bank.person import BACKGROUND, STYLE, TRAITS, Person, faults, person_id, person_text, sentences
from studio.bank.pipeline import Plan
from studio.bank.quality import Removal
from studio.bank.types import HopFinished
from studio.spec.describe import block, joined
from studio.store.records import Method


class EnrichPlan(Plan):
    """Each of ``short``, one attempt a person. Whoever is made has the short one as their parent."""

    method: Method = "enrich"
    schema = PersonAnswer
    note = ""

    def __init__(self, short: Sequence[Person], seed: int) -> None:
        self.wanted = len(short)
        self.told: list[HopFinished] = []
        self._seed = seed
        self._short = {person.id for person in short}
        self._begun: set[str] = set()
        self._attempts = self._all(short)

    def next(self) -> Attempt | None:
        return next((one for one in self._attempts if one.drawn.parents[0] not in self._begun), None)

    def began(self, attempt: Attempt) -> None:
        self._begun.add(attempt.drawn.parents[0])

    def settled(self, attempt: Attempt, person: Person | None, removal: Removal | None) -> None:
        """Those whom an earlier start has made whole are short no more, and count as wanted and done."""
        if person is not None and attempt.drawn.parents[0] not in self._short:
            self.wanted += 1

    def _all(self, short: Sequence[Person]) -> Iterator[Attempt]:
        for person in short:
            drawn = _kept(person).model_copy(
                update={"id": person_id("enrich", str(self._seed), person.id), "method": "enrich", "seed": self._seed}
                | {"source": "bank", "parents": (person.id,), "model": ""}
            )
            prompt = joined(
                [
                    f"Somebody of whom little is known:\n{block('person', person_text(person))}",
                    "Make a whole person of them. All that is known stays true; what is missing follows from it and is "
                    "as particular. Say again in the background what was known, in other words where it is too long.",
                    given(drawn),
                ]
            )
            yield Attempt(drawn=drawn, prompt=prompt, slot=person.id)


def short_ones(people: Sequence[Person]) -> list[Person]:
    """Those who are no whole people yet."""
    return [person for person in people if faults(person)]


def _kept(person: Person) -> Person:
    """``person`` without what is outside the limits, and without the background, which is written anew around what it
    says."""
    fits = {
        "traits": person.traits if TRAITS[0] <= len(person.traits) <= TRAITS[1] else (),
        "chatting_style": person.chatting_style if len(person.chatting_style) <= STYLE else "",
        "age": None if any(fault.startswith("age") for fault in faults(person)) else person.age,
        "background": person.background if _is_whole(person.background) else "",
    }
    return person.model_copy(update=fits)


def _is_whole(background: str) -> bool:
    return 80 <= len(background) <= BACKGROUND and sentences(background) <= 2
