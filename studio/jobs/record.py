"""A job's record: the files of its folder, what was asked (``job.json``) and how its worker says it stands
(``state.json``). Whether that still holds is for the lock to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, ValidationError

from studio.chatml import Frozen, Unicode
from studio.files import write_atomic

State = Literal["starting", "running", "stopping", "finished", "stopped", "failed", "dead"]
"""``dead``: it left no last word and nobody holds its lock (killed). ``failed``: it said why."""

LIVING: tuple[State, ...] = ("starting", "running", "stopping")
ENDED: tuple[State, ...] = ("finished", "stopped", "failed", "dead")


class Kept(Frozen):
    """Read from our own disk: keys of a later version are passed over."""

    model_config = ConfigDict(extra="ignore")


class JobRequest(Kept):
    """``job.json``: what was asked. ``entry`` is ``module:function``, called with ``params`` and a context."""

    id: str
    stage: str
    entry: str
    params: dict[str, Any]
    created: datetime
    cwd: str = ""
    """Where it was asked, so that a resumed job reads the same relative paths."""


class Event(Kept):
    """A line of ``events.jsonl``: ``data`` is a stage's own event, by its ``kind``."""

    at: datetime
    kind: str
    data: dict[str, Any]


class JobView(Frozen):
    """How a job stands now."""

    request: JobRequest
    state: State
    pid: int | None = None
    error: str | None = None
    """One line for a person, where it failed or died."""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class JobPaths:
    folder: Path

    @property
    def request(self) -> Path:
        return self.folder / "job.json"

    @property
    def status(self) -> Path:
        return self.folder / "state.json"

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def lock(self) -> Path:
        """Held by the worker for as long as it lives; holds its pid."""
        return self.folder / "lock"

    @property
    def stop(self) -> Path:
        """There once a stop was asked for."""
        return self.folder / "stop"

    @property
    def reserve(self) -> Path:
        """There while the worker runs: room for its last word."""
        return self.folder / "reserve"


Phase = Literal["starting", "running", "finished", "stopped", "failed"]
_RESERVE = 16_384
"""Bytes, some blocks of the file system."""
LAST_WORDS: tuple[Phase, ...] = ("finished", "stopped", "failed")


class Status(Kept):
    """``starting`` is written by whoever starts the job, the others by the worker."""

    phase: Phase
    pid: int | None = None
    error: Unicode | None = None
    started: datetime | None = None
    ended: datetime | None = None


def write_status(path: Path, status: Status) -> None:
    write_atomic(path, status.model_dump_json() + "\n")


def keep_room(path: Path) -> None:
    """Fill the file that is given up for the last word: a full disk is one of the ways in which work ends."""
    if path.exists() and path.stat().st_size == _RESERVE:
        return
    try:
        path.write_bytes(b"\0" * _RESERVE)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def read_status(path: Path) -> Status | None:
    """None where nothing was said yet, or nothing that can be read."""
    try:
        return Status.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
