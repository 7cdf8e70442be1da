"""Connections to ``examples.db``: many readers, one writer at a time over all processes, errors a person can use."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studio.errors import UserError
from studio.store.failures import explained
from studio.store.schema import VERSION, prepare

BUSY_S = 15.0
"""How long a write waits for other processes' writes, each of which takes under a millisecond."""


class Database:
    """SQLite in WAL mode, ``synchronous=NORMAL``: what was committed survives a kill of the process.

    A power cut may take the last moments, but for transactions that asked to be ``durable``. Any thread may use it: a
    connection is borrowed for each use, so a reader never waits for a writer.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self.path = path
        self._busy_s = busy_s
        self._idle: deque[sqlite3.Connection] = deque()
        self._writing = threading.Lock()
        self._watching = threading.Lock()
        self._closed = False
        with self._explained():
            connection = self._connect()
            self._idle.append(connection)
            _use_wal(connection, busy_s)
            version = prepare(connection)
            there = path.stat()
            self._file = (there.st_dev, there.st_ino)
            self._watcher = self._connect()
        if version != VERSION:
            self.close()
            remedy = "update the studio, or choose another --workspace"
            raise UserError(f"made by another version of the studio ({version})", where=str(path), remedy=remedy)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for a few statements, each of which sees its own moment."""
        with self._explained(), self._borrowed() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """As :meth:`reading`, but all statements see the same moment."""
        with self._explained(), self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:  # a disk that fails may have ended it already
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: stored when the block ends, undone when it raises. ``durable`` outlives a power cut."""
        with self._explained(), self._writing, self._borrowed() as connection:
            self._check_place()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk may have rolled it back already
                    connection.execute("ROLLBACK")
                raise

    def version(self) -> int:
        """A number that is another one after any process, this one included, wrote anything."""
        with self._explained(), self._watching:
            if self._closed:
                raise self._was_closed()
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Give the connections back; the last one of all processes also folds the log into the file."""
        self._closed = True
        with self._watching, suppress(sqlite3.Error):
            self._watcher.close()
        while self._idle:
            with suppress(sqlite3.Error):
                self._idle.pop().close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()  # whatever state it is in, nobody else meets it
            raise
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise self._was_closed()
        connection = sqlite3.connect(self.path, timeout=self._busy_s, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -16384")  # KiB
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def _check_place(self) -> None:
        """SQLite goes on writing to a file that somebody has deleted, and nobody would ever see it again."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != self._file:
            remedy = "start again; what was there is in no copy of the studio's"
            raise UserError("the workspace was deleted or replaced", where=str(self.path), remedy=remedy)

    def _was_closed(self) -> UserError:
        return UserError("the workspace was closed", where=str(self.path), remedy="open it again")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            told = explained(error, self.path)
            if told is None:
                raise
            raise told from error


def _use_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """Of several processes that turn a new file to WAL at once, SQLite refuses some without waiting."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
