"""The job that builds a bank: people into the workspace, until as many are there as were asked for; its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from studio.bank.people import build, people_of
from studio.chatml import Frozen
from studio.spec import Topic, load
from studio.store import ExampleStore, Person, Workspace

if TYPE_CHECKING:
    from studio.jobs import JobContext

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


def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop it adds those who are missing, since ids depend on the seed alone."""
    asked = BankParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        for event in fill(workspace.examples, loaded.topics, asked, lambda: context.stop_requested):
            context.emit(event)


def fill(
    store: ExampleStore, topics: tuple[Topic, ...], asked: BankParams, stop: Callable[[], bool]
) -> Iterator[BankEvent]:
    """Store everybody of ``topics`` and ``asked.count`` built-in people; those there already are left as they are."""
    began = time.monotonic()
    of_profiles = people_of(topics)
    wanted = len(of_profiles) + asked.count
    yield BankStarted(people=wanted, seed=asked.seed)
    there = {person.id for person in store.people()}
    added, known = 0, 0
    for person in chain(of_profiles, build(asked.count, asked.seed)):
        if stop():
            break
        if person.id in there:
            known += 1
            continue
        store.add_person(person)
        there.add(person.id)
        added += 1
        yield PersonAdded(person=person, done=added + known, people=wanted)
    complete = added + known == wanted
    yield BankFinished(added=added, known=known, complete=complete, seconds=time.monotonic() - began)
