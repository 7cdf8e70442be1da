"""What starting the window loads, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.jobs import active
from studio.spec import load
from studio.store import Workspace
from tests.small_persona import SLUG, copy_to
from tests.tui.making import fill, write_spec
from tests.tui.pty_window import ROOT, PtyWindow

WALK = """
import asyncio, sys
from pathlib import Path
from tests.small_persona import SLUG, copy_to
from tests.tui.making import until, window
from studio.tui.stages import ENTRIES

async def main():
    app = window(Path(sys.argv[1]), Path(sys.argv[2]))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session)
        for entry in ENTRIES:
            await pilot.press(entry.key)
            await until(pilot, lambda: app.current_mode == entry.stage)
            await pilot.pause()

asyncio.run(main())
heavy = {"torch", "transformers", "trl", "peft", "unsloth", "datasets", "bitsandbytes", "openai", "genai_prices"}
print(sorted(heavy & set(sys.modules)))
"""


def test_no_stage_of_the_window_loads_anything_heavy(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    fill(tmp_path / "ws", load(path), 3).close()
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(path), str(tmp_path / "ws")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_first_paint_needs_neither_pydantic_nor_a_file() -> None:
    code = """
import sys, studio.tui, studio.tui.screens.spec.screen
print(sorted({"pydantic", "ruamel.yaml", "tinydb", "sqlite3", "studio.spec", "studio.store"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGHUP])
def test_a_job_outlives_the_window_however_it_ends(tmp_path: Path, end: signal.Signals) -> None:
    with PtyWindow(copy_to(tmp_path), tmp_path / "ws") as window:
        window.press("3", "No examples yet")
        window.send("s")
        window.until("generate running")
        job = active(tmp_path / "ws" / SLUG / "jobs", "generate")
        assert job is not None
        os.kill(window.process.pid, end)
        window.wait()
        alive = job.view()
    assert alive.state != "dead"
    job.wait(60)
    assert job.events()[0][-1].kind == "generate_finished", "it said its last word"


def test_decisions_that_were_called_saved_survive_a_kill(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    fill(tmp_path / "ws", load(path), 10).close()
    with PtyWindow(path, tmp_path / "ws") as window:
        window.press("4", "Question 000")
        window.press("rt", "saved: rejected: tone")
        os.kill(window.process.pid, signal.SIGKILL)
        window.wait()
    row = Workspace.open(tmp_path / "ws", "harbour").examples.row("ex00000")
    assert row is not None and row.decision is not None and row.decision.reason == "tone"


def test_quitting_waits_for_what_was_painted(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    fill(tmp_path / "ws", load(path), 30).close()
    with PtyWindow(path, tmp_path / "ws") as window:
        window.press("4", "Question 000")
        window.send("rt" * 20 + "\x11")
        assert window.wait() == 0
    store = Workspace.open(tmp_path / "ws", "harbour").examples
    decided = [row.decision is not None for row in store.rows(limit=30)]
    assert decided == [True] * 20 + [False] * 10


def test_the_users_own_editor_edits_a_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_spec(tmp_path)
    fill(tmp_path / "ws", load(path), 3).close()
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/steady as she goes/hold her there/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    with PtyWindow(path, tmp_path / "ws") as window:
        window.press("4", "Question 000")
        window.press("E", "saved: edited")
        window.send("\x11")
        window.wait()
    row = Workspace.open(tmp_path / "ws", "harbour").examples.row("ex00000")
    assert row is not None and row.messages[-1].content == "Answer 000: four metres, hold her there."
