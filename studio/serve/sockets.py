"""Where a worker's Unix socket lies: a short path in a folder that only its owner can enter."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from studio.errors import UserError

_TMP = Path("/tmp")
"""Not the user's runtime folder, which goes away with the last login: what is served outlives a connection."""


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
