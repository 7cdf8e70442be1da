"""A disk that is really full: a small tmpfs, mounted for one process where the system lets users do so."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_MOUNT = 'mount -t tmpfs -o size="$1"k tmpfs "$2" && shift 2 && exec "$@"'


def on_small_disk(script: str, folder: Path, kib: int = 2048) -> list[str]:
    """The lines that a Python script prints, whose disk is ``sys.argv[1]``; skips where none can be mounted."""
    if not _may_mount():
        pytest.skip("no tmpfs can be mounted here (unshare -rm)")
    command = ["unshare", "-rm", "sh", "-c", _MOUNT, "sh", str(kib), str(folder), sys.executable, "-c", script]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def fill(disk: Path, leave: int) -> None:
    """Take all room but ``leave`` bytes, by a file named ``filler``."""
    with (disk / "filler").open("wb", buffering=0) as file:
        while _free(disk) > leave:
            file.write(b"x" * 4096)


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_bsize


@lru_cache
def _may_mount() -> bool:
    try:
        tried = subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0
