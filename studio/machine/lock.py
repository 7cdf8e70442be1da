"""Locks that the kernel gives back when their holder dies: how a dead job is told from a slow one.

A lock of :func:`fcntl.flock` belongs to the open file, not to the process. So it can be taken here, handed to a child
through :class:`subprocess.Popen` and closed here, without a moment in which nobody holds it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import UserError

_LOOK_S = 0.005


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock. The look takes a shared lock for an instant, so looks do not see each other."""
    try:
        handle = os.open(path, os.O_RDONLY)  # the disk may be, too
    except OSError:
        return False
    try:
        return not take(handle, shared=True)
    finally:
        os.close(handle)


def acquire(path: Path, patience_s: float) -> int | None:
    """Take the lock and return its open file; None when somebody still holds it after ``patience_s`` seconds.

    The pid of an earlier holder is forgotten: it may be another process's by now.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take_soon(handle, patience_s):
            os.close(handle)
            return None
        os.ftruncate(handle, 0)
    except OSError:
        os.close(handle)
        raise
    return handle


def take(handle: int, *, shared: bool = False) -> bool:
    """Lock an open file, alone or with others who share it; whether nobody stood in the way. Closing it unlocks."""
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def give(handle: int) -> None:
    """Unlock an open file that stays open."""
    fcntl.flock(handle, fcntl.LOCK_UN)


def take_soon(handle: int, patience_s: float) -> bool:
    """As :func:`take`, alone, tried for so many seconds."""
    deadline = time.monotonic() + patience_s
    while not take(handle):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
    return True


@contextmanager
def exclusive(path: Path, patience_s: float = 10.0) -> Iterator[None]:
    """Hold the lock for a moment's work. Raises :class:`UserError` when somebody keeps it."""
    handle = acquire(path, patience_s)
    if handle is None:
        raise UserError("held by another process for too long", where=str(path), remedy="end that process, try again")
    try:
        yield
    finally:
        os.close(handle)


def write_pid(handle: int, pid: int) -> None:
    """Leave the holder's pid in the lock's own file."""
    os.pwrite(handle, f"{pid}\n".encode(), 0)


def read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
