"""Access to a worker: a Unix socket in a folder that only its owner can enter, and a lock that all who use it share.

The kernel tells so when the last of them is gone. Whoever holds the lock alone keeps others from coming while the
worker ends.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import IO

from studio.errors import UserError
from studio.machine.lock import acquire, take

_CLIENTS = "clients"
_TMP = Path("/tmp")
"""Not the user's runtime folder, which goes away with the last login: what is served outlives a connection."""


def join(folder: Path) -> IO[bytes] | None:
    """A share of the lock in the job's folder, given back by closing it or by the end of the process; None while the
    worker is ended."""
    lease = (folder / _CLIENTS).open("ab")
    if take(lease.fileno(), shared=True):
        return lease
    lease.close()
    return None


def alone(folder: Path, patience_s: float = 0.1) -> int | None:
    """The whole lock, as an open file: nobody uses the worker, and nobody can come; None where somebody does.

    Somebody who only looks holds it for an instant.
    """
    return acquire(folder / _CLIENTS, patience_s)


def socket_path(folder: Path) -> Path:
    """The socket for the workspace (or other folder) ``folder``: the same path each time it is asked.

    It is not in the workspace itself: the path of a socket has 107 bytes at most, and network disks hold none.
    """
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    parent = _TMP if _TMP.is_dir() and os.access(_TMP, os.W_OK) else Path(tempfile.gettempdir())
    return parent / f"persona-studio-{os.getuid()}" / f"{name}.sock"


def secure_folder(folder: Path) -> None:
    """Make ``folder`` with mode 0700, or make sure that it is ours and closed to others. Raises :class:`UserError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UserError("the folder of the socket belongs to somebody else", where=str(folder), remedy="remove it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
