"""TinyDB's storage with what its own lacks: another process's changes are seen, and a full disk leaves the old file."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from studio.errors import UserError
from studio.files import write_atomic

Tables = dict[str, dict[str, Any]]
PATIENCE_S = 15.0
"""How long a change waits for other processes' changes, each of which takes milliseconds."""
_LOOK_S = 0.005
_SHAPE = "put a copy of it in its place, or write it as {table: {id: {...}}}"


class AtomicStorage(Storage):
    """Reads the file anew once it is another one; writes it whole or not at all.

    TinyDB reads, changes and writes: whoever changes something holds :meth:`locked` meanwhile.
    """

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self._patience_s = patience_s
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._stamp: tuple[int, int, int] | None = None
        self._raw = b""
        self._reading = threading.Lock()
        self._changing = threading.RLock()

    def read(self) -> Tables | None:
        """None where there is no file yet. Raises :class:`UserError` where it cannot be read or holds no tables."""
        with self._reading:
            try:
                found = self.path.stat()
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
                if stamp != self._stamp:
                    self._raw = self.path.read_bytes()
                    self._stamp = stamp
            except FileNotFoundError:
                self._stamp = None
                return None
            except OSError as error:
                self._stamp = None
                remedy = "look at its owner and permissions, and whether it is a file"
                raise UserError(f"cannot be read: {error.strerror}", where=str(self.path), remedy=remedy) from error
            raw = self._raw
        return self._tables(raw)

    def _tables(self, raw: bytes) -> Tables:
        try:
            tables = json.loads(raw)
        except (ValueError, RecursionError) as error:
            where = f"{self.path}:{getattr(error, 'lineno', 1)}"
            raise UserError("not valid JSON", where=where, remedy="mend it, or put a copy in its place") from error
        if not isinstance(tables, dict):
            raise UserError("expected tables", where=str(self.path), remedy=_SHAPE)
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise UserError("expected entries by their ids", where=f"{self.path}: {name}", remedy=_SHAPE)
            for key, entry in table.items():
                if not isinstance(entry, dict):
                    raise UserError("expected a mapping", where=f"{self.path}: {name}.{key}", remedy=_SHAPE)
        return tables

    def write(self, data: Tables) -> None:
        try:
            write_atomic(self.path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
        except OSError as error:
            remedy = "make room, or look at the permissions; what was saved so far is whole"
            raise UserError(f"cannot be saved: {error.strerror}", where=str(self.path), remedy=remedy) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all processes and threads that change this file.

        Raises :class:`UserError` where the folder takes no lock, or somebody else keeps it for too long.
        """
        with self._changing:
            handle = -1
            try:
                handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o644)
                self._wait_for(handle)
            except OSError as error:
                if handle >= 0:
                    os.close(handle)
                raise self._unlocked(error) from error
            try:
                yield
            finally:
                os.close(handle)

    def _wait_for(self, handle: int) -> None:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_LOOK_S)

    def _unlocked(self, error: OSError) -> UserError:
        if isinstance(error, BlockingIOError):
            remedy = f"end what holds {self._lock_path.name} beside it, then try again"
            return UserError("locked by another process for too long", where=str(self.path), remedy=remedy)
        remedy = "look at the owner and permissions of the folder"
        return UserError(f"not writable: {error.strerror}", where=str(self.path), remedy=remedy)
