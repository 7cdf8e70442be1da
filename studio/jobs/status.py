"""``state.json``: what a worker last said of itself. Whether that still holds is for the lock to say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from studio.chatml import Frozen, Unicode
from studio.files import write_atomic

Phase = Literal["starting", "running", "finished", "stopped", "failed"]
LAST_WORDS: tuple[Phase, ...] = ("finished", "stopped", "failed")


class Status(Frozen):
    """``starting`` is written by whoever starts the job, the others by the worker."""

    phase: Phase
    pid: int | None = None
    error: Unicode | None = None
    started: datetime | None = None
    ended: datetime | None = None


def write_status(path: Path, status: Status) -> None:
    write_atomic(path, status.model_dump_json() + "\n")


def read_status(path: Path) -> Status | None:
    """None where nothing was said yet, or nothing that can be read."""
    try:
        return Status.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
