"""What goes wrong with the file is told with a remedy, and costs nothing that was saved."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.store import ExampleStore, Workspace
from studio.store.schema import VERSION
from tests.full_disk import on_small_disk
from tests.store.making import decision, example, judgement

FULL_PAGES = 3
OPEN_WITH_LITTLE_ROOM = """
import sys
from pathlib import Path
from studio.errors import UserError
from studio.store import ExampleStore
from tests.full_disk import fill
from tests.store.making import example, judgement

disk = Path(sys.argv[1])
for pages in range(0, 100, 3):
    fill(disk, pages * 4096)
    try:
        ExampleStore(disk / "examples.db").close()
        print("made")
    except UserError as error:
        print("told", error.remedy)
    (disk / "filler").unlink()
    store = ExampleStore(disk / "examples.db")  # what a first try left is good to go on with
    store.add_example(example(), judgement())
    store.close()
    for path in disk.iterdir():
        path.unlink()
"""


def test_a_workspace_that_was_deleted_or_replaced_takes_no_decision_that_nobody_would_see(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    store = filled(path)
    path.unlink()
    with pytest.raises(UserError, match="deleted or replaced"):
        store.decide(decision("e0", "accept"))
    filled(path).close()
    with pytest.raises(UserError, match="deleted or replaced"):
        store.decide(decision("e0", "accept"))
    store.close()


def filled(path: Path, count: int = 5) -> ExampleStore:
    store = ExampleStore(path)
    for number in range(count):
        store.add_example(example(f"e{number}"), judgement())
    return store


def add_many(store: ExampleStore, last: int) -> None:
    for number in range(5, last):
        store.add_example(example(f"e{number}", reply="long " * 1000), judgement())


def reject_all(path: Path, count: int) -> None:
    store = ExampleStore(path)
    for number in range(count):
        store.decide(decision(f"e{number}", "reject", "tone"))


def test_a_full_disk_undoes_the_write_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    store = filled(path)
    with store.database.reading() as connection:  # SQLite's own limit fails as a full disk does
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + FULL_PAGES}")
    with pytest.raises(UserError, match=r"disk is full.*make room"):
        add_many(store, 1000)
    kept = store.count()
    assert 5 <= kept < 1000
    store.close()
    again = ExampleStore(path)
    assert again.count() == kept == sum(one.accepted for one in again.counts())
    assert again.add_example(example("after"), judgement()) == kept + 1
    again.close()


def test_a_disk_without_room_for_the_tables_is_told_and_works_once_there_is_room(tmp_path: Path) -> None:
    told = on_small_disk(OPEN_WITH_LITTLE_ROOM, tmp_path)
    assert told[0].startswith("told make room")
    assert told[-1] == "made"


def test_a_file_that_another_program_keeps_locked_is_told_and_works_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    filled(path).close()
    store = ExampleStore(path, busy_s=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(UserError, match="kept busy by another program"):
        store.decide(decision("e1", "accept"))
    assert store.count() == 5, "reading goes on"
    holder.execute("ROLLBACK")
    assert store.decide(decision("e1", "accept")).id == 1
    holder.close()
    store.close()


def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    path.write_bytes(b"this is no database, it only has its name" * 100)
    before = path.read_bytes()
    with pytest.raises(UserError, match="not a database of the studio") as told:
        ExampleStore(path)
    assert str(path) in str(told.value)
    assert path.read_bytes() == before


def test_damage_inside_the_file_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    filled(path, 300).close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(2, size // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(2048))
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"damaged.*studio workspace restore"):
        reject_all(path, 300)
    assert path.read_bytes() == before


def test_a_file_of_a_newer_studio_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    filled(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(UserError, match=rf"a newer version of the studio \({VERSION + 1}\)"):
        ExampleStore(path)


def test_a_closed_workspace_says_so(tmp_path: Path) -> None:
    store = filled(tmp_path / "examples.db")
    store.close()
    with pytest.raises(UserError, match="was closed"):
        store.count()
    with pytest.raises(UserError, match="was closed"):
        store.data_version()


def test_a_place_where_no_workspace_can_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be made.*--workspace"):
        Workspace.open(tmp_path / "file", "persona")


@pytest.mark.parametrize("slug", ["", "..", ".hidden", "a/b", "/etc"])
def test_a_workspace_stays_in_its_root(tmp_path: Path, slug: str) -> None:
    with pytest.raises(ValueError, match="folder name"):
        Workspace.open(tmp_path, slug)


def test_a_workspace_has_its_folders_and_is_found_again(tmp_path: Path) -> None:
    first = Workspace.open(tmp_path / "new" / "root", "persona")
    for folder in (first.jobs_dir, first.runs_dir, first.exports_dir, first.packages_dir):
        assert folder.is_dir() and folder.parent == first.folder
    first.examples.add_example(example(), judgement())
    second = Workspace.open(tmp_path / "new" / "root", "persona")
    assert second.examples.count() == 1
    first.close()
    second.close()
