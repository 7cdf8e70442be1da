"""What a machine does to long work: whether it outlives the connection (logind), and how safe a file system is."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs"),
    *("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.juicefs"),
}
"""File systems on which SQLite's write-ahead log is not safe: its shared memory is one machine's (sqlite.org/wal)."""
_ASK_S = 2.0
_MANAGER = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")


class Login(NamedTuple):
    """What logind does at the end of a connection: ``kills`` this user's processes, ``lingers``: not the manager's."""

    kills: bool
    lingers: bool


@cache
def login() -> Login:
    """Asked once a process; where there is no logind, nothing is killed."""
    told = _asked("busctl", "get-property", *_MANAGER, "KillUserProcesses")
    if told != "b true":
        return Login(kills=False, lingers=False)
    return Login(kills=True, lingers=_asked("loginctl", "show-user", str(os.getuid()), "-P", "Linger") == "yes")


def outliving() -> list[str]:
    """The beginning of a command that starts a process out of reach of the connection's end; empty where none is
    needed, or none can be had."""
    manager = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "systemd" / "private"
    if not login().kills or not manager.exists() or shutil.which("systemd-run") is None:
        return []
    return ["systemd-run", "--user", "--scope", "--quiet", "--collect"]


def network_file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The type of the file system below ``path`` where it is one of a network, such as ``nfs4``."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    place, best = path.resolve(), ("", "")
    for line in lines:
        _, mounted, kind, *_ = [*line.split(" "), "", "", ""]
        point = mounted.replace("\\040", " ")
        if place.is_relative_to(point or "/nowhere") and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1] if best[1] in _NETWORK else None


def _asked(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
