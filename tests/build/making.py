"""The real command in processes of its own, on a TaskMaster with a few probes."""

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

from ruamel.yaml import YAML

from studio.jobs import Job, list_jobs
from studio.spec import load
from studio.store import Filter, Row, Workspace

SPECS = Path(__file__).parents[2] / "specs"
PATIENCE_S = 300.0


def short_spec(folder: Path, probes: int = 2) -> Path:
    """TaskMaster whole, but for its probes: so many a category."""
    yaml = YAML()
    whole = yaml.load((SPECS / "taskmaster.yaml").read_text(encoding="utf-8"))
    for category in whole["scenarios"].values():
        if category.get("holdout"):
            del category["items"][probes:]
    path = folder / "taskmaster.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(whole, file)
    return path


def environ() -> dict[str, str]:
    """Without anything that would lead to a model of whoever runs the tests, and on one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "STUDIO_"))}
    return {**kept, "OMP_NUM_THREADS": "1"}


def until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for ``condition``; it never comes true once ``process`` has ended."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()}")
        assert time.monotonic() < ends, "never came true"
        time.sleep(0.02)


class Commands:
    """``studio`` commands on one spec in one workspace."""

    def __init__(self, folder: Path, probes: int = 2) -> None:
        self.spec, self.root, self.folder = short_spec(folder, probes), folder / "ws", folder
        self.loaded = load(self.spec)
        self.workspace = Workspace.open(self.root, self.loaded.spec.slug)

    def begin(self, command: str, *options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._line("from studio.cli import main; main()", command, *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ(),
        )

    def run(self, command: str, *options: object, code: str = "from studio.cli import main; main()") -> Ended:
        done = subprocess.run(
            self._line(code, command, *options),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environ(),
            timeout=PATIENCE_S,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def _line(self, code: str, command: str, *options: object) -> list[str]:
        where = (str(self.spec), "--workspace", str(self.root))
        return [sys.executable, "-c", code, *command.split(), *where, *map(str, options)]

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
