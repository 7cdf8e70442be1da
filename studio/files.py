"""Files: written so that a crash or a full disk leaves the old one whole, and known by their content."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_SETTLED_S = 2.0
"""A file that was written so recently may be written again within the clock of its disk: its hash is not kept."""


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` once it is whole: beside it, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_atomic(path: Path, data: str | bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``data``; a crash or a full disk leaves the old file whole."""
    with replacing(path, mode=mode) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def cache_folder() -> Path:
    """The user's cache for the studio (``$XDG_CACHE_HOME/persona-studio``); it may not be there yet."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if named.startswith("/") else Path.home() / ".cache") / "persona-studio"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises :class:`OSError` where it cannot be read.

    Weights are gigabytes, so it is kept in the user's cache by (path, size, mtime, inode) and computed again only where
    one of these has changed.
    """
    real = path.resolve()
    found = real.stat()
    mark = [str(real), found.st_size, found.st_mtime_ns, found.st_ino]
    note = cache_folder() / "hashes" / f"{hashlib.sha256(str(real).encode(errors='surrogateescape')).hexdigest()}.json"
    with suppress(OSError, ValueError):
        kept = json.loads(note.read_text())
        if kept[:-1] == mark:
            return str(kept[-1])
    with real.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time() - found.st_mtime > _SETTLED_S:
        with suppress(OSError, ValueError):  # a cache that cannot be written costs time, nothing else
            write_atomic(note, json.dumps([*mark, digest]))
    return digest


def as_seen(path: str | Path) -> str:
    """A path as one would type it here: from the working folder where it lies below that, else whole."""
    full, here = Path(path).absolute(), Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else str(full)
