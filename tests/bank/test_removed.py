"""Who was removed: kept in a file before they go, put back from it, and found by whom they were like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.bank.file_dedup import dedup_people
from studio.bank.journal import Attempt, Journal
from studio.bank.quality import Removal
from studio.bank.removed import FOLDER, Removals, put_back, remove_twins
from studio.errors import UserError
from studio.store import Workspace
from tests.bank.making import WordVectors, person


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "harbour")
    yield opened
    opened.close()


def test_twins_go_and_come_back_one_removal_after_the_other(workspace: Workspace) -> None:
    store = workspace.examples
    people = [person(1), person(2), person(1, id="twin"), person(3)]
    store.add_people(people)
    removals, _ = dedup_people(people, WordVectors())
    gone, path = remove_twins(store, workspace.folder, people, removals)
    assert gone == 1 and path.exists() and [one.id for one in store.people()] == ["p1", "p2", "p3"]
    found = Removals(workspace.folder)
    (alike,) = found.of("p1")
    assert alike.reason == "words" and alike.similarity == 1.0 and person(1).background.rstrip(".") in alike.text
    assert found.of("p2") == ()
    others = store.people()
    remove_twins(store, workspace.folder, others, [None, Removal(id="2", reason="meaning", twin="1"), None])
    assert put_back(store, workspace.folder) == 1 and {one.id for one in store.people()} == {"p1", "p2", "p3"}
    assert put_back(store, workspace.folder) == 1 and store.person("twin") == people[2]
    assert put_back(store, workspace.folder) is None
    assert Removals(workspace.folder).of("p1") == (), "who is there again is no removed twin"


def test_nobody_goes_where_the_file_cannot_be_written(workspace: Workspace) -> None:
    workspace.examples.add_people([person(1), person(2)])
    (workspace.folder / "people").mkdir(exist_ok=True)
    (workspace.folder / FOLDER).write_text("in the way")
    with pytest.raises(UserError, match="so nobody was removed"):
        remove_twins(workspace.examples, workspace.folder, [person(1)], [Removal(id="1", reason="words")])
    assert len(workspace.examples.people()) == 2


def test_a_file_that_is_none_is_left_and_told(workspace: Workspace) -> None:
    folder = workspace.folder / FOLDER
    folder.mkdir(parents=True)
    (folder / "0001.jsonl").write_text("{broken\n")
    with pytest.raises(UserError, match="not a file of people"):
        put_back(workspace.examples, workspace.folder)
    assert Removals(workspace.folder).of("p1") == ()


def test_a_journal_is_read_on_as_it_grows(workspace: Workspace) -> None:
    found = Removals(workspace.folder)
    journal = Journal(workspace.folder / "people" / "write-0-x.jsonl")
    for number in (1, 2):
        journal.begin(Attempt(drawn=person(number), prompt="?"))
        why = Removal(id=f"p{number}", reason="meaning", twin="p9", similarity=0.9, text=f"said {number}")
        journal.settle(f"p{number}", why)
        assert [one.text for one in found.of("p9")] == [f"said {n}" for n in range(1, number + 1)]
    journal.close()
