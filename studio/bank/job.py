"""The job that builds a bank: people into the workspace, until as many are there as were asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.bank.people import build
from studio.bank.profiles import people_of
from studio.bank.types import BankEvent, BankFinished, BankParams, BankStarted, PersonAdded
from studio.spec import Topic, load
from studio.store import ExampleStore, Workspace

if TYPE_CHECKING:
    from studio.jobs import JobContext

__all__ = ["BankParams", "fill", "main"]


def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop it adds those who are missing, since ids depend on the seed alone."""
    asked = BankParams.model_validate(params)
    loaded = load(Path(asked.spec_path))
    workspace = Workspace.open(Path(asked.workspace), loaded.spec.slug)
    try:
        for event in fill(workspace.examples, loaded.topics, asked, lambda: context.stop_requested):
            context.emit(event)
    finally:
        workspace.close()


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
