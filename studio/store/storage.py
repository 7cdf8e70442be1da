"""TinyDB's storage with what its own lacks: another process's changes are seen, and a full disk leaves the old file."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from studio.errors import UserError
from studio.files import write_atomic

Tables = dict[str, dict[str, Any]]


class AtomicStorage(Storage):
    """Reads the file anew once it is another one; writes it whole or not at all.

    TinyDB reads, changes and writes: whoever changes something holds :meth:`locked` meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._stamp: tuple[int, int, int] | None = None
        self._raw = b""
        self._lock = threading.RLock()

    def read(self) -> Tables | None:
        """None where there is no file yet. Raises :class:`UserError` where it is not what TinyDB wrote."""
        with self._lock:
            try:
                found = self.path.stat()
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
                if stamp != self._stamp:
                    self._raw = self.path.read_bytes()
                    self._stamp = stamp
            except FileNotFoundError:
                self._stamp = None
                return None
            raw = self._raw
        try:
            tables = json.loads(raw)
        except ValueError as error:
            where = f"{self.path}:{getattr(error, 'lineno', 1)}"
            raise UserError("not valid JSON", where=where, remedy="mend it, or put a copy in its place") from error
        if not isinstance(tables, dict):
            raise UserError("expected tables", where=str(self.path), remedy="put a copy in its place")
        return tables

    def write(self, data: Tables) -> None:
        try:
            write_atomic(self.path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
        except OSError as error:
            remedy = "make room, or look at the permissions; what was saved so far is whole"
            raise UserError(f"cannot be saved: {error.strerror}", where=str(self.path), remedy=remedy) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all processes and threads that change this file."""
        with self._lock:
            try:
                handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                remedy = "look at the owner and permissions of the folder"
                raise UserError(f"not writable: {error.strerror}", where=str(self.path), remedy=remedy) from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
