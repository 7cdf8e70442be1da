"""What was acknowledged is on the disk, however the process ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from studio.store import Workspace

DECIDE = """
import sys
from pathlib import Path
from studio.store import Workspace
from tests.store.making import decision, example, judgement

store = Workspace.open(Path(sys.argv[1]), "p").examples
number = 0
while True:
    number += 1
    store.add_example(example(f"e{number}"), judgement("passed"))
    store.decide(decision(f"e{number}", "reject", "tone"))
    print(number, flush=True)
"""


def test_every_acknowledged_decision_survives_kill_9(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for _ in range(3):
        folder = tmp_path / str(_)
        process = subprocess.Popen(
            [sys.executable, "-c", DECIDE, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 40:
                break
        process.kill()
        rest = process.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else 40
        store = Workspace.open(folder, "p").examples
        kept = {row.example.id for row in store.rows(limit=acknowledged + 1) if row.decision}
        assert {f"e{number}" for number in range(1, acknowledged + 1)} <= kept
        assert all(row.status == "rejected" for row in store.rows(limit=acknowledged))


def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    code = DECIDE.replace("while True:", "for _ in range(50):").replace('f"e{number}"', "f'{sys.argv[2]}-{number}'")
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], stdout=subprocess.DEVNULL, cwd=root)
        for name in "abc"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    rows = Workspace.open(tmp_path, "p").examples.rows(limit=1000)
    assert len([row for row in rows if row.decision]) == 150
