"""Who uses a worker: a lock in its job's folder that all of them share, so that the kernel tells when the last is gone.

Whoever holds it alone keeps others from coming while the worker ends.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from studio.machine.lock import acquire

_FILE = "clients"
_PATIENCE_S = 0.1
"""Somebody who only looks holds the lock for an instant."""


def join(folder: Path) -> IO[bytes] | None:
    """A share of the lock, given back by closing it or by the end of the process; None while the worker is ended."""
    lease = (folder / _FILE).open("ab")
    try:
        fcntl.flock(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        lease.close()
        return None
    return lease


def alone(folder: Path, patience_s: float = _PATIENCE_S) -> int | None:
    """The whole lock, as an open file: nobody uses the worker, and nobody can come; None where somebody does."""
    return acquire(folder / _FILE, patience_s)
