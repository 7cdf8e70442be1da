"""A database that another program keeps busy is waited for; nobody is told that it is locked while a job can wait."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.store import ExampleStore, Filter, Workspace
from studio.store.recovery import check
from tests.store.making import decision, example, judgement

ROOT = Path(__file__).parents[2]


@contextmanager
def kept_busy(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program, in the middle of a write."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield holder


def test_a_job_s_write_waits_until_the_database_is_free(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "examples.db"
    asked = threading.Semaphore(0)

    def gives_up() -> bool:
        asked.release()
        return False

    store = ExampleStore(path, busy_s=0.01, gives_up=gives_up)
    with kept_busy(path) as holder, caplog.at_level(logging.WARNING):

        def free() -> None:
            for _ in range(5):  # times that it waited for longer than anybody else would
                assert asked.acquire(timeout=30)
            holder.execute("ROLLBACK")

        freeing = threading.Thread(target=free)
        freeing.start()
        store.add_example(example("waited"), judgement())
        freeing.join()
    assert store.row("waited") is not None
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        "kept busy by another program; waiting until it is free"
    ], "told once"
    store.close()


def test_who_gives_up_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    store = ExampleStore(path, busy_s=0.01, gives_up=lambda: True)
    with kept_busy(path), pytest.raises(UserError, match=r"kept busy by another program \(end what holds it"):
        store.add_example(example(), judgement())
    assert store.add_example(example(), judgement()) == 1
    store.close()


def test_a_file_that_is_gone_ends_the_waiting(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"

    def gives_up() -> bool:
        path.unlink(missing_ok=True)
        return False

    store = ExampleStore(path, busy_s=0.01, gives_up=gives_up)
    with kept_busy(path), pytest.raises(UserError, match="deleted or replaced"):
        store.add_example(example(), judgement())
    store.close()


DECIDE = """
import sys
from pathlib import Path
from studio.store import Workspace
from studio.triage import Triage

triage, first = Triage(Workspace.open(Path(sys.argv[1]), "p")), int(sys.argv[2])
triage.reject_all([f"e{number}" for number in range(first, first + 1200)], "tone")
for number in range(first + 1200, first + 1300):
    triage.reject(f"e{number}", "tone")
"""
ADD = """
import sys
from pathlib import Path
from studio.store import Workspace
from tests.store.making import example, judgement

store = Workspace.open(Path(sys.argv[1]), "p").examples
for number in range(300):
    store.add_example(example(f"new-{number}"), judgement())
"""


def test_two_that_decide_beside_one_that_adds_lose_nothing(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    for number in range(2600):
        workspace.examples.add_example(example(f"e{number}"), judgement())
    commands = [[DECIDE, str(tmp_path), "0"], [DECIDE, str(tmp_path), "1300"], [ADD, str(tmp_path)]]
    processes = [
        subprocess.Popen([sys.executable, "-c", *one], cwd=ROOT, stderr=subprocess.PIPE, text=True) for one in commands
    ]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in processes] == [("", 0)] * 3
    store = workspace.examples
    assert store.count(Filter(reason="tone")) == store.count(Filter(decided=True)) == 2600
    assert store.count() == 2900 and check(workspace.folder).problems == ()
    assert len(store.undo()) in (1, 1200)
    workspace.close()


def test_a_window_s_write_waits_for_a_moment_only(tmp_path: Path) -> None:
    path = tmp_path / "examples.db"
    store = ExampleStore(path, busy_s=0.05)
    store.add_example(example(), judgement())
    with kept_busy(path), pytest.raises(UserError, match="kept busy"):
        store.decide(decision("one", "accept"))
    store.close()
