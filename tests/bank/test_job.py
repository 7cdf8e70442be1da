"""The job that builds a bank, alone and as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.bank import BankFinished, BankParams, BankStarted, PeopleAdded, people_of
from studio.bank.compose import people
from studio.bank.job import fill
from studio.jobs import start
from studio.spec import load
from studio.store import Workspace

SPEC = Path(__file__).parents[2] / "specs" / "bank-support.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "linden")
    yield opened
    opened.close()


def asked(root: Path, count: int) -> BankParams:
    return BankParams(spec_path=str(SPEC), workspace=str(root), count=count, seed=3)


def test_everybody_of_profiles_and_components_is_kept_and_told(workspace: Workspace, tmp_path: Path) -> None:
    topics = load(SPEC).topics
    events = list(fill(workspace.examples, topics, asked(tmp_path, 205), lambda: False))
    wanted = [*people_of(topics), *people(205, 3)]
    assert events[0] == BankStarted(people=229, seed=3)
    assert [event.done for event in events if isinstance(event, PeopleAdded)] == [100, 200, 229]
    assert workspace.examples.people() == wanted == list(workspace.examples.each_person())
    finished = events[-1]
    assert isinstance(finished, BankFinished)
    assert (finished.added, finished.known, finished.complete) == (229, 0, True)


def test_started_again_it_adds_only_those_who_are_missing(workspace: Workspace, tmp_path: Path) -> None:
    list(fill(workspace.examples, (), asked(tmp_path, 5), lambda: False))
    *_, finished = fill(workspace.examples, (), asked(tmp_path, 8), lambda: False)
    assert isinstance(finished, BankFinished)
    assert (finished.added, finished.known, finished.complete) == (3, 5, True)
    assert len(workspace.examples.people()) == 8


def test_a_stop_is_obeyed_at_once_and_told_as_incomplete(workspace: Workspace, tmp_path: Path) -> None:
    left = iter([False] * 7)
    *_, finished = fill(workspace.examples, (), asked(tmp_path, 300), lambda: next(left, True))
    assert isinstance(finished, BankFinished)
    assert (finished.added, finished.complete) == (7, False)
    assert len(workspace.examples.people()) == 7


def test_as_a_process_it_fills_the_workspace_that_it_was_given(workspace: Workspace, tmp_path: Path) -> None:
    job = start(workspace.jobs_dir, "bank", "studio.bank.job:main", asked(tmp_path, 4))
    view = job.wait(60)
    assert (view.state, view.error) == ("finished", None)
    kinds = [event.kind for event in job.events()[0]]
    assert kinds.count("people_added") == 1
    assert "bank_finished" in kinds
    assert len(workspace.examples.people(source="profiles")) == 24
    assert len(workspace.examples.people(source="bank")) == 4


def test_a_spec_that_is_not_there_ends_it_with_one_line(workspace: Workspace, tmp_path: Path) -> None:
    missing = BankParams(spec_path=str(tmp_path / "none.yaml"), workspace=str(tmp_path), count=1)
    view = start(workspace.jobs_dir, "bank", "studio.bank.job:main", missing).wait(60)
    assert view.state == "failed"
    assert view.error is not None
    assert "none.yaml" in view.error
