"""Damage is named, what is sound is salvaged, and what was there is kept."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from studio.calls import CallRecord
from studio.dataset import export_chatml
from studio.errors import UserError
from studio.store import Filter, Workspace
from studio.store.recovery import backup, check, restore
from studio.store.salvage import salvage
from studio.store.schema import VERSION
from tests.full_disk import on_small_disk
from tests.store.making import NOW, decision, example, judgement

PAGE = 4096


def made(root: Path, count: int = 400) -> Path:
    """A workspace with examples, some decided, and calls; it is closed."""
    workspace = Workspace.open(root, "p")
    store = workspace.examples
    for number in range(count):
        said = f"Question {number} " + "of many words " * 20
        store.add_example(example(f"e{number}", said=said), judgement("failed" if number % 5 == 0 else "passed", "x"))
    store.decide_all([decision(f"e{number}", "reject", "tone") for number in range(0, count, 2)])
    for number in range(50):
        store.add_calls(
            [CallRecord(key=f"k{number}", purpose="author", model="m", response="{}", cost_usd=1.0, at=NOW)]
        )
    workspace.close()
    return workspace.folder


def damage(path: Path, pages: list[int]) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(os.urandom(PAGE))


def pages_of(path: Path, *written: str) -> list[int]:
    """The leaf pages of a table, found by what is written in them."""
    raw = path.read_bytes()
    leaves = [at for at in range(0, len(raw), PAGE) if raw[at] == 0x0D]
    return [at // PAGE + 1 for at in leaves if all(text.encode() in raw[at : at + PAGE] for text in written)]


def test_a_sound_workspace_is_sound(tmp_path: Path) -> None:
    found = check(made(tmp_path))
    assert (found.version, found.examples, found.problems) == (VERSION, 400, ())


def test_what_does_not_follow_from_what_is_stored_is_named(tmp_path: Path) -> None:
    folder = made(tmp_path, 20)
    with sqlite3.connect(folder / "examples.db") as connection:
        connection.execute("UPDATE tallies SET n = n + 1")
        connection.execute("DELETE FROM search WHERE rowid = 3")
    connection.close()
    named = "\n".join(check(folder).problems)
    assert "counts by status do not follow" in named and "index of words do not follow" in named
    salvage(folder)
    assert check(folder).problems == ()


def test_damaged_pages_lose_only_what_stood_in_them(tmp_path: Path) -> None:
    folder = made(tmp_path)
    path = folder / "examples.db"
    broken = pages_of(path, "Question 7", "messages")[:1] + pages_of(path, "Question 300", "messages")[:1]
    damage(path, broken)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"damaged.*studio workspace restore"):
        Workspace.open(tmp_path, "p")
    assert check(folder).problems
    done = salvage(folder)
    lost = done.lost["examples"]
    assert 0 < lost < 40 and done.examples == 400 - lost
    assert done.kept is not None and done.kept.read_bytes() == before
    assert check(folder).problems == ()
    workspace = Workspace.open(tmp_path, "p")
    store = workspace.examples
    rows = store.rows(limit=1000)
    assert [row.seq for row in rows] == list(range(1, done.examples + 1)), "numbers have no gaps"
    assert all(row.judgement is not None and row.example.prompt for row in rows)
    decided = [row.example.id for row in rows if int(row.example.id[1:]) % 2 == 0]
    assert [row.example.id for row in store.rows(Filter(decided=True), limit=1000)] == decided
    assert store.spent().calls == 50 and store.spent().cost_usd == 50.0
    assert {one.example_id for one in store.undo()} <= set(decided)
    workspace.close()


def test_random_damage_is_salvaged_or_told(tmp_path: Path) -> None:
    rng, refused = random.Random(3), 0
    for turn in range(6):
        folder = made(tmp_path / str(turn), 150)
        path = folder / "examples.db"
        pages = path.stat().st_size // PAGE
        damage(path, rng.sample(range(2, pages), 4))
        try:
            done = salvage(folder)
        except UserError:  # the pages that say where all others are
            refused += 1
            continue
        assert done.examples + done.lost.get("examples", 0) >= 100
        assert check(folder).problems == ()
    assert refused < 6


def test_a_cut_off_file_is_noticed_when_it_is_opened(tmp_path: Path) -> None:
    folder = made(tmp_path)
    path = folder / "examples.db"
    os.truncate(path, path.stat().st_size - 20 * PAGE)
    with pytest.raises(UserError, match="its end is missing"):
        Workspace.open(tmp_path, "p")
    done = salvage(folder)
    assert done.kept is not None and check(folder).problems == ()


def test_a_backup_is_made_while_others_write_and_brought_back(tmp_path: Path) -> None:
    folder = made(tmp_path, 30)
    workspace = Workspace.open(tmp_path, "p")
    workspace.examples.add_example(example("last"), judgement())  # still in the log
    copy = backup(folder)
    assert copy.parent == folder / "backups" and (copy / "examples.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserError, match="something already"):
        backup(folder, copy)
    workspace.examples.add_example(example("after"), judgement())
    done = restore(folder, copy)
    assert done.examples == 31 and done.kept is not None
    with pytest.raises(UserError, match="deleted or replaced"):
        workspace.examples.add_example(example("more"), judgement())
    workspace.close()
    again = Workspace.open(tmp_path, "p")
    assert again.examples.row("last") is not None and again.examples.row("after") is None
    again.close()
    with sqlite3.connect(done.kept) as kept:
        assert kept.execute("SELECT count(*) FROM examples").fetchone() == (32,), "with what was in its log"
    kept.close()


def test_a_damaged_or_newer_backup_changes_nothing(tmp_path: Path) -> None:
    folder = made(tmp_path, 30)
    before = (folder / "examples.db").read_bytes()
    copy = backup(folder)
    damage(copy / "examples.db", [5, 6, 7])
    with pytest.raises(UserError, match="damaged"):
        restore(folder, copy)
    newer = backup(folder, folder / "newer") / "examples.db"
    with sqlite3.connect(newer) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(UserError, match="newer version"):
        restore(folder, newer)
    assert (folder / "examples.db").read_bytes() == before


def test_a_file_without_its_first_page_is_told_and_kept(tmp_path: Path) -> None:
    folder = made(tmp_path, 30)
    copy = backup(folder)
    damage(folder / "examples.db", [1])
    with pytest.raises(UserError, match="not a database of the studio"):
        Workspace.open(tmp_path, "p")
    with pytest.raises(UserError, match="not a database of the studio"):
        salvage(folder)
    assert any("not a database" in line for line in check(folder).problems)
    assert restore(folder, copy).examples == 30


@pytest.mark.parametrize("gone", [True, False])
def test_an_empty_file_beside_jobs_is_damage_and_without_jobs_a_beginning(tmp_path: Path, gone: bool) -> None:
    folder = made(tmp_path, 3)
    copy = backup(folder, tmp_path / "copy")
    (folder / "examples.db").unlink()
    if not gone:
        (folder / "examples.db").touch()
    Workspace.open(tmp_path, "p").close()
    (folder / "examples.db").unlink()
    if not gone:
        (folder / "examples.db").touch()
    (folder / "jobs" / "generate-1").mkdir()
    with pytest.raises(UserError, match=r"examples.db is (empty|gone), though jobs have written to it"):
        Workspace.open(tmp_path, "p")
    assert len(check(folder).problems) == 1
    assert restore(folder, copy).examples == 3
    workspace = Workspace.open(tmp_path, "p")
    assert workspace.examples.count() == 3
    workspace.close()


def test_only_its_owner_may_look_into_a_new_workspace(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        workspace = Workspace.open(tmp_path, "p")
        workspace.examples.add_example(example(), judgement())
        workspace.studio.put("settings", "a", example())
        modes = {path.name: path.stat().st_mode & 0o777 for path in workspace.folder.iterdir() if path.is_file()}
        assert workspace.folder.stat().st_mode & 0o777 == workspace.exports_dir.stat().st_mode & 0o777 == 0o700
        assert export_chatml(workspace).path.stat().st_mode & 0o777 == 0o600
        assert set(modes.values()) == {0o600} and {"examples.db", "examples.db-wal", "studio.json"} <= set(modes)
        workspace.close()
    finally:
        os.umask(before)


FULL = """
import sys
from pathlib import Path
from studio.errors import UserError
from studio.store import Workspace
from studio.store.recovery import backup, check
from studio.store.salvage import salvage
from studio.dataset import export_chatml
from tests.full_disk import fill
from tests.store.making import example, judgement, decision

disk = Path(sys.argv[1])
workspace = Workspace.open(disk, "p")
for number in range(100):
    workspace.examples.add_example(example(f"e{number}"), judgement())
fill(disk, 0)
def add():
    for number in range(100, 2000):
        workspace.examples.add_example(example(f"e{number}"), judgement())
for act in (
    add,
    lambda: workspace.studio.put("settings", "a", example(said="long " * 5000)),
    lambda: backup(workspace.folder),
    lambda: salvage(workspace.folder),
):
    try:
        act()
        print("done")
    except UserError as error:
        print(error.message, "|", error.remedy)
(disk / "filler").unlink()
workspace.examples.decide(decision("e1", "reject", "tone"))
workspace.close()
print(check(disk / "p").problems)
"""


def test_a_full_disk_is_told_in_the_same_line_everywhere(tmp_path: Path) -> None:
    *told, sound = on_small_disk(FULL, tmp_path, kib=8192)
    assert told == ["the disk is full | make room and try again; what was saved so far is whole"] * 4
    assert sound == "()"


READ_ONLY = """
import os, subprocess, sys
from pathlib import Path
from studio.errors import UserError
from studio.store import Filter, Owner, Workspace
from studio.store.recovery import check, backup
from studio.dataset import export_chatml
from studio.tui.screens.chat.conversation import count_votes
from tests.store.making import decision, example
from tests.store.test_versions import workspace_of

disk = Path(sys.argv[1])
folder = workspace_of(int(os.environ["VERSION"]), disk)
if "LOG" in os.environ:  # a process that was killed: what it wrote last is in the log only
    subprocess.run([sys.executable, "-c", (
        "import os; from pathlib import Path; from studio.store import Workspace; from tests.store.making import *;"
        f"w = Workspace.open(Path({str(disk)!r}), 'harbour'); w.examples.add_example(example('late'), judgement());"
        "os._exit(0)")], check=True)
    (folder / "examples.db-shm").unlink()
there = sorted(os.listdir(folder))
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
workspace = Workspace.open(disk, "harbour", Owner(name="Harbour", spec="/elsewhere/harbour.yaml"))
store = workspace.examples
print(workspace.read_only, store.count(), len(store.rows()), store.counts()[0].accepted, store.spent().calls)
samples = len(workspace.documents.ids("samples"))
print(count_votes(workspace.documents, "run-1"), samples, sum(1 for _ in store.conversations()))
print(check(folder).problems)
try:
    store.decide(decision("e1", "accept"))
except UserError as error:
    print(error.message)
try:
    backup(folder)
except UserError as error:
    print(error.message)
workspace.close()
print(there == sorted(os.listdir(folder)))
"""


@pytest.mark.parametrize(("version", "log"), [(1, False), (2, False), (VERSION, False), (VERSION, True)])
def test_a_workspace_on_a_read_only_mount_is_read(
    tmp_path: Path, version: int, log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERSION", str(version))
    if log:
        monkeypatch.setenv("LOG", "1")
    told = on_small_disk(READ_ONLY, tmp_path, kib=16384)
    count = 13 if log else 12
    assert told == [
        f"True {count} {count} 1 2",
        f"Counter({{'tuned': 1}}) 1 {count}",
        "()",
        "the workspace is read-only",
        "not written: read-only",
        "True",
    ]
