"""The job that composes a bank: people into the workspace, until as many are there as were asked for; its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from studio.bank import compose
from studio.bank.people import people_of
from studio.bank.person import Person
from studio.chatml import Frozen
from studio.spec import Topic, load
from studio.store import ExampleStore, Workspace

if TYPE_CHECKING:
    from studio.jobs import JobContext

MOST_BUILT = 100_000
"""People that a bank is asked for at most: more than a spec can want, and composed in half a minute."""
_CHUNK = 100
"""People who are stored in one transaction, and told of in one event."""


class BankParams(Frozen):
    """``count`` composed people are kept beside everybody from the spec's profiles, and beside those who came with
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


class PeopleAdded(Frozen):
    """``done`` of ``people`` are in the store."""

    kind: Literal["people_added"] = "people_added"
    done: int
    people: int


class BankFinished(Frozen):
    """``known`` were there already. ``complete`` is False where it was stopped."""

    kind: Literal["bank_finished"] = "bank_finished"
    added: int
    known: int
    complete: bool
    seconds: float


BankEvent = Annotated[BankStarted | PeopleAdded | BankFinished, Field(discriminator="kind")]


def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop it adds those who are missing, since people depend on the seed alone."""
    asked = BankParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        for event in fill(workspace.examples, loaded.topics, asked, lambda: context.stop_requested):
            context.emit(event)


def fill(
    store: ExampleStore, topics: tuple[Topic, ...], asked: BankParams, stop: Callable[[], bool]
) -> Iterator[BankEvent]:
    """Store everybody of ``topics`` and ``asked.count`` composed people; those there already are left as they are."""
    began = time.monotonic()
    of_profiles = people_of(topics)
    wanted = len(of_profiles) + asked.count
    yield BankStarted(people=wanted, seed=asked.seed)
    added, done = 0, 0
    chunk: list[Person] = []
    for person in chain(of_profiles, compose.people(asked.count, asked.seed)):
        if stop():
            break
        chunk.append(person)
        if len(chunk) == _CHUNK:
            added, done, chunk = added + store.add_people(chunk), done + len(chunk), []
            yield PeopleAdded(done=done, people=wanted)
    if chunk:
        added, done = added + store.add_people(chunk), done + len(chunk)
        yield PeopleAdded(done=done, people=wanted)
    seconds = time.monotonic() - began
    yield BankFinished(added=added, known=done - added, complete=done == wanted, seconds=seconds)
