"""The journal of attempts: what was asked and what became of it, so that a kill loses nobody and pays for nobody twice.

An attempt is on the disk, with its whole prompt, before it is sent. Asked again after a kill, it is the same request,
and the ledger of calls answers it where an answer had come.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.bank.person import Person
from studio.bank.quality import Removal
from studio.chatml import Frozen, Unicode
from studio.jobs.events import EventLog, read_events


class Attempt(Frozen):
    """One call for one person. ``drawn`` is what code has decided of them; its id is the person's."""

    kind: Literal["attempt"] = "attempt"
    drawn: Person
    prompt: Unicode
    slot: str = ""
    """What it is for, in the words of its plan: a number, ``PARENT patient``."""
    tries: int = 0
    """Attempts at the same slot before it."""
    references: tuple[str, ...] = ()
    """Ids of those whom the prompt shows as "not like these"."""

    @property
    def id(self) -> str:
        return self.drawn.id


class Settled(Frozen):
    """Somebody was stored, or removed for a reason."""

    kind: Literal["settled"] = "settled"
    id: str
    removal: Removal | None = None


class GivenUp(Frozen):
    """The model gave nobody, and is not asked again unless that is wanted."""

    kind: Literal["given_up"] = "given_up"
    id: str
    error: str


class Journal:
    """One file a run of a method: ``people/<name>.jsonl`` in the workspace. One process at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.attempts: dict[str, Attempt] = {}
        """In the order in which they were begun."""
        self.settled: dict[str, Removal | None] = {}
        self.given_up: dict[str, str] = {}
        """Id and error of attempts that came to nobody, not even one to remove."""
        self._log = EventLog(path)
        for event in read_events(path)[0]:
            if event.kind == "attempt":
                attempt = Attempt.model_validate(event.data, extra="ignore")
                self.attempts[attempt.id] = attempt
            elif event.kind == "settled":
                settled = Settled.model_validate(event.data, extra="ignore")
                self.settled[settled.id] = settled.removal
            elif event.kind == "given_up":
                given_up = GivenUp.model_validate(event.data, extra="ignore")
                self.given_up[given_up.id] = given_up.error

    @property
    def removals(self) -> list[Removal]:
        return [removal for removal in self.settled.values() if removal is not None]

    def begin(self, attempt: Attempt) -> None:
        """When this returns the attempt survives a kill of the process."""
        self._log.append(attempt)
        self.attempts[attempt.id] = attempt

    def settle(self, id: str, removal: Removal | None = None) -> None:
        self._log.append(Settled(id=id, removal=removal))
        self.settled[id] = removal

    def give_up(self, id: str, error: str) -> None:
        self._log.append(GivenUp(id=id, error=error))
        self.given_up[id] = error

    def close(self) -> None:
        self._log.close()
