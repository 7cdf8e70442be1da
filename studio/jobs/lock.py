"""Telling a living job from a dead one: a lock that the kernel drops when its holder is gone, however it went."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def take(path: Path, *, wait: bool = False) -> int | None:
    """The locked file's descriptor, to be kept open for as long as the lock is wanted; None where it is taken."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock now. Looking never disturbs a holder or somebody about to take it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)
