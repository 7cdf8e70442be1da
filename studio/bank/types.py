"""What building a bank is asked, and what it tells while it works."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studio.chatml import Frozen
from studio.store.records import Person

MOST_BUILT = 10_000
"""People that a bank is asked for at most: more than a spec can want, and made in seconds."""


class BankParams(Frozen):
    """``count`` built-in people are kept beside everybody from the spec's profiles, and beside those who came with
    generating."""

    spec_path: str
    workspace: str
    """Root folder of the workspaces."""
    count: int = Field(default=200, ge=0)
    seed: int = Field(default=0, ge=0)


class BankStarted(Frozen):
    kind: Literal["bank_started"] = "bank_started"
    people: int
    """How many people the bank is to hold when it is done, profiles included."""
    seed: int


class PersonAdded(Frozen):
    kind: Literal["person_added"] = "person_added"
    person: Person
    done: int
    people: int


class BankFinished(Frozen):
    """``known`` were there already. ``complete`` is False where it was stopped, or ran out of different people."""

    kind: Literal["bank_finished"] = "bank_finished"
    added: int
    known: int
    complete: bool
    seconds: float


BankEvent = Annotated[BankStarted | PersonAdded | BankFinished, Field(discriminator="kind")]
