"""How the building of a bank stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.bank.types import BankFinished, BankStarted, PersonAdded
from studio.jobs.types import Event
from studio.tui.progress.events import parsed


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
    for event in parsed(events, BankStarted, PersonAdded, BankFinished):
        match event:
            case BankStarted():
                now = BankProgress(people=event.people)
            case PersonAdded():
                now = replace(now, done=event.done)
            case BankFinished():
                now = replace(now, finished=event)
    return now
