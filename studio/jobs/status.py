"""``state.json``: what a worker last said of itself. Whether that still holds is for the lock to say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from studio.chatml import Frozen, Unicode
from studio.files import write_atomic

Phase = Literal["starting", "running", "finished", "stopped", "failed"]
_RESERVE = 16_384
"""Bytes, some blocks of the file system."""
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
    except (FileNotFoundError, ValidationError):
        return None
