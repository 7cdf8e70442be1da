"""The real command in processes of its own, on the small persona and a tiny base model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.jobs import Job, list_jobs
from studio.spec import load
from studio.store import Filter, Row, Workspace
from tests import small_persona
from tests.processes import default_signals
from tests.tiny_model import tiny_base

SPECS = Path(__file__).parents[2] / "specs"
PATIENCE_S = 300.0
MAIN = "from studio.cli import main; main()"


def until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for ``condition``; it never comes true once ``process`` has ended."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()}")
        assert time.monotonic() < ends, "never came true"
        time.sleep(0.02)


class Commands:
    """``studio`` commands on one spec in one workspace. ``success`` are gates of the spec in place of its own."""

    def __init__(self, folder: Path, success: str = "") -> None:
        self.spec, self.root, self.folder = small_persona.copy_to(folder / "specs"), folder / "ws", folder
        text = self.spec.read_text(encoding="utf-8").replace("max_tokens: 96", "max_tokens: 24")
        self.spec.write_text(text.replace("success:\n", f"success:\n{success}"), encoding="utf-8")
        self.base = tiny_base()
        self.loaded = load(self.spec)
        self.workspace = Workspace.open(self.root, self.loaded.spec.slug)

    def reload(self) -> None:
        """Take up the spec as it was changed on the disk."""
        self.loaded = load(self.spec)

    def begin(self, command: str, *options: object, code: str = MAIN) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._line(code, command, *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environ(),
            preexec_fn=default_signals,
        )

    def run(self, command: str, *options: object, code: str = MAIN) -> Ended:
        with self.begin(command, *options, code=code) as process:
            try:
                out, err = process.communicate(timeout=PATIENCE_S)
            finally:
                process.kill()
        return Ended(process.returncode, out, err)

    def _line(self, code: str, command: str, *options: object) -> list[str]:
        where = (str(self.spec), "--workspace", str(self.root))
        base = ("--base", self.base) if command in ("build", "train") else ()
        return [sys.executable, "-c", code, *command.split(), *where, *base, *map(str, options)]

    def _environ(self) -> dict[str, str]:
        """Without anything that would lead to a model of whoever runs the tests, and on one thread."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "STUDIO_"))}
        return {**kept, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(self.folder / "cache")}

    def jobs(self, stage: str | None = None) -> list[Job]:
        return list_jobs(self.workspace.jobs_dir, stage)

    def events(self, stage: str, kind: str) -> list[dict[str, Any]]:
        """The data of the events of the stage's newest job."""
        jobs = self.jobs(stage)
        return [event.data for event in jobs[0].events()[0] if event.kind == kind] if jobs else []

    def rows(self) -> dict[str, Row]:
        return {row.example.id: row for row in self.workspace.examples.rows(Filter(), limit=10_000)}


class Ended:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out.rstrip("\n").split("\n")[-1])


def interrupt(process: subprocess.Popen[str]) -> Ended:
    """Press ctrl+c and wait for the end."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, out, err)
