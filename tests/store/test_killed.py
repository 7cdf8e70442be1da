"""What was acknowledged is on the disk, however the process ends, and whoever else writes."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from studio.store import Filter, Workspace
from tests.store.making import decision, example, judgement

ROOT = Path(__file__).parents[2]
DECIDE = """
import sys
from pathlib import Path
from studio.store import Workspace
from tests.store.making import decision

store = Workspace.open(Path(sys.argv[1]), "p").examples
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    store.decide(decision(f"e{number}", "reject", "tone"))
    print(number, flush=True)
"""
ADD = """
import sys
from pathlib import Path
from studio.store import Workspace
from tests.store.making import decision, example, judgement

store = Workspace.open(Path(sys.argv[1]), "p").examples
for number in range(40):
    store.add_example(example(f"{sys.argv[2]}{number}"), judgement())
    store.decide(decision(f"{sys.argv[2]}{number}", "reject", "tone"))
    store.undo()
"""


def test_every_acknowledged_decision_survives_kill_9(tmp_path: Path) -> None:
    rng = random.Random(5)
    workspace = Workspace.open(tmp_path, "p")
    for number in range(600):
        workspace.examples.add_example(example(f"e{number}"), judgement())
    done = 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", DECIDE, str(tmp_path), str(done), "600"], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        enough = done + rng.randrange(5, 60)
        acknowledged = -1
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged >= enough:
                process.kill()  # what it says until it is dead counts too
        assert process.wait() == -9
        decided = workspace.examples.count(Filter(decided=True))
        assert decided in (acknowledged + 1, acknowledged + 2), "at most one was stored and not yet said"
        assert decided == workspace.examples.count(Filter(reason="tone")) == workspace.examples.reasons()["tone"]
        done = decided
    undone = workspace.examples.undo()
    assert [one.example_id for one in undone] == [f"e{done - 1}"]
    workspace.close()


def test_undo_and_redo_go_on_after_kill_9(tmp_path: Path) -> None:
    code = DECIDE + "store.undo(); store.undo()\nprint('undone', flush=True)\nimport time; time.sleep(60)"
    workspace = Workspace.open(tmp_path, "p")
    for number in range(5):
        workspace.examples.add_example(example(f"e{number}"), judgement())
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), "0", "5"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "undone\n":
            process.kill()
    process.wait()
    redone = [workspace.examples.redo() for _ in range(3)]
    assert [[one.example_id for one in step] for step in redone] == [["e3"], ["e4"], []]
    workspace.close()


def test_decisions_are_flushed_to_the_disk_and_what_comes_fast_is_not(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    for durable, level in ((True, 2), (False, 1), (True, 2)):  # SQLite's numbers for FULL and NORMAL
        with workspace.examples.database.writing(durable=durable) as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    workspace.close()


@pytest.mark.parametrize("opened_before", [True, False])
def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path: Path, opened_before: bool) -> None:
    """Also where all of them make the file."""
    if opened_before:
        Workspace.open(tmp_path, "p").close()
    writers = [
        subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path), name], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for name in "abcd"
    ]
    assert [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers] == [("", 0)] * 4
    workspace = Workspace.open(tmp_path, "p")
    rows = workspace.examples.rows(limit=1000)
    assert {row.example.id for row in rows} == {f"{name}{number}" for name in "abcd" for number in range(40)}
    assert [row.seq for row in rows] == list(range(1, 161)), "numbers have no gaps"
    assert sum(one.accepted + one.rejected for one in workspace.examples.counts()) == 160
    workspace.examples.decide(decision("a0", "accept"))
    workspace.close()
