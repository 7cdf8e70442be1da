"""How the building of a bank stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.bank.types import BankFinished, BankStarted, PersonAdded
from studio.jobs.types import Event


@dataclass(frozen=True)
class BankProgress:
    people: int = 0
    """How many there are to be."""
    done: int = 0
    finished: BankFinished | None = None

    @property
    def brief(self) -> str:
        return f"{self.done}/{self.people}"


def fold(progress: BankProgress | None, events: Sequence[Event]) -> BankProgress:
    now = progress or BankProgress()
    for event in events:
        if event.kind == "bank_started":
            now = BankProgress(people=BankStarted.model_validate(event.data).people)
        elif event.kind == "person_added":
            now = replace(now, done=PersonAdded.model_validate(event.data).done)
        elif event.kind == "bank_finished":
            now = replace(now, finished=BankFinished.model_validate(event.data))
    return now
