"""What is told while a model writes people: ids, verdicts and counts; the store has the people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from studio.bank.quality import Reason
from studio.chatml import Frozen
from studio.llm import Waiting
from studio.store.records import Method


class PeopleStarted(Frozen):
    kind: Literal["people_started"] = "people_started"
    method: Method
    model: str
    wanted: int
    known: int
    """There already, of an earlier start of the same run."""
    note: str = ""


class PeopleProgressed(Frozen):
    """At most twice a second. ``cost_usd`` is what this start has paid, None where a price is unknown."""

    kind: Literal["people_progressed"] = "people_progressed"
    done: int
    wanted: int
    removed: int
    errors: int
    reasons: dict[Reason, int]
    cost_usd: float | None
    rate: float
    """People a second, over the last half minute."""
    eta_s: float | None
    waiting: Waiting | None = None
    """What holds the calls up; None where nothing does."""

    @property
    def flow(self) -> str:
        """The same in one line for a person; empty where nothing does."""
        return self.waiting.line(datetime.now(UTC)) if self.waiting is not None else ""


class PersonTaken(Frozen):
    kind: Literal["person_taken"] = "person_taken"
    id: str


class PersonRemoved(Frozen):
    kind: Literal["person_removed"] = "person_removed"
    id: str
    reason: Reason
    detail: str
    twin: str
    similarity: float | None


class PersonFailed(Frozen):
    """The model gave nobody. Asked again at the next start, where it was not given up for good."""

    kind: Literal["person_failed"] = "person_failed"
    id: str
    error: str


class PeopleFinished(Frozen):
    """``complete`` is False where it was stopped or ended early; ``note`` says why."""

    kind: Literal["people_finished"] = "people_finished"
    method: Method
    done: int
    wanted: int
    known: int
    removed: int
    reasons: dict[Reason, int]
    errors: int
    calls: int
    """Answers that were paid for since this start; those on record from before cost nothing."""
    cost_usd: float | None
    seconds: float
    complete: bool
    note: str = ""
    journal: str = ""
    """The file that holds every attempt, and every removal with its reason and its twin."""


class HopFinished(Frozen):
    """One hop of relations: how its people compare with those of hop 0, at the same ``n``."""

    kind: Literal["hop_finished"] = "hop_finished"
    hop: int
    people: int
    n: int
    vendi: float
    nearest_distance: float
    first_vendi: float
    """Of hop 1 at the same ``n``: the same author, so that only the distance from the roots differs."""
    age_divergence: float
    """Jensen-Shannon, in bits, 0..1, of the age groups against hop 0."""
    job_divergence: float


PeopleEvent = Annotated[
    PeopleStarted | PeopleProgressed | PersonTaken | PersonRemoved | PersonFailed | HopFinished | PeopleFinished,
    Field(discriminator="kind"),
]
