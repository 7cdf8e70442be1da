"""Connections to ``examples.db``: many readers, one writer at a time over all processes, errors a person can use."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from studio.errors import FULL, MAKE_ROOM, UserError, disk_error
from studio.store.migrations import RESTORE, check_quickly, prepare
from studio.store.schema import VERSION

BUSY_S = 15.0
"""How long a write waits for other processes' writes, each of which takes milliseconds."""
CHECKED_MIB = 32
"""Up to this size a file is checked whole when it is opened (1 ms a MiB); ``studio workspace check`` does any."""
_PERMISSIONS = "look at the owner and permissions of the file and its folder"
_REMEDIES = {
    sqlite3.SQLITE_FULL: (FULL, MAKE_ROOM),
    sqlite3.SQLITE_BUSY: ("kept busy by another program", "end what holds it open for writing, then try again"),
    sqlite3.SQLITE_LOCKED: ("kept busy by another program", "end what holds it open for writing, then try again"),
    sqlite3.SQLITE_READONLY: ("not writable", _PERMISSIONS),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _PERMISSIONS),
    sqlite3.SQLITE_PERM: ("not allowed", _PERMISSIONS),
    sqlite3.SQLITE_IOERR: ("the disk failed to read or write", "look at the disk (dmesg, df), then try again"),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", RESTORE),
    sqlite3.SQLITE_NOTADB: ("not a database of the studio", RESTORE),
}
_log = logging.getLogger(__name__)

GivesUp = Callable[[], bool]


class WouldWait(Exception):  # noqa: N818 - a state, not a fault
    """Somebody else writes at the moment."""


class Database:
    """SQLite in WAL mode, ``synchronous=NORMAL``: what was committed survives a kill of the process.

    A power cut may take the last moments, but for transactions that asked to be ``durable``. Any thread may use it: a
    connection is borrowed for each use, so a reader never waits for a writer. Where the file or its folder cannot be
    written it is read as it is, and a write raises :class:`UserError`.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S, gives_up: GivesUp | None = None) -> None:
        """A write waits for ``busy_s`` seconds; with ``gives_up`` then on, for as long as that says no.

        Raises :class:`UserError` where the file is damaged, of a newer studio, or cannot be read.
        """
        self.path = path
        self._busy_s, self._gives_up = busy_s, gives_up
        self._idle: deque[sqlite3.Connection] = deque()
        self._writing = threading.Lock()
        self._watching = threading.Lock()
        self._closed = False
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._name, self._uri = str(path), path.absolute().as_uri()
        self.read_only = not _writable(path)
        with self._explained():
            version = self._open_to_read() if self.read_only else self._open_to_write()
            there = path.stat()
            self._file = (there.st_dev, there.st_ino)
            self._watcher = self._connect()
        if version != VERSION:
            self.close()
            remedy = "update the studio, or choose another --workspace"
            raise UserError(f"made by a newer version of the studio ({version})", where=str(path), remedy=remedy)

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
    def writing(self, *, durable: bool = False, wait: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: stored when the block ends, undone when it raises. ``durable`` outlives a power cut.

        Where somebody else writes it raises :class:`WouldWait` without ``wait``.
        """
        if self.read_only:
            remedy = "copy the workspace to a disk that can be written, or name another with --workspace"
            raise UserError("the workspace is read-only", where=str(self.path), remedy=remedy)
        with self._explained(), self._alone(wait), self._borrowed() as connection:
            self._check_place()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._begin(connection) if wait else self._begin_at_once(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk may have rolled it back already
                    connection.execute("ROLLBACK")
                raise

    def add_to_copy(self, statement: str, rows: Sequence[tuple[str, ...]]) -> None:
        """What an older workspace that cannot be written holds elsewhere: into the copy that is read in its place."""
        if self._copy is not None:
            with self.reading() as connection:
                connection.executemany(statement, rows)

    def version(self) -> int:
        """A number that is another one after any process, this one included, wrote anything."""
        with self._explained(), self._watching:
            if self._closed:
                raise self._was_closed()
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Give the connections back; the last one of all processes also folds the log into the file."""
        self._closed = True
        with self._watching, suppress(sqlite3.Error, AttributeError):
            self._watcher.close()
        while self._idle:
            with suppress(sqlite3.Error):
                self._idle.pop().close()
        if self._copy is not None:
            self._copy.cleanup()

    # Opening

    def _open_to_write(self) -> int:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # the log and its index get the same mode
        except OSError as error:
            raise disk_error(error, self.path, doing="cannot be opened") from error
        self._check_size()
        connection = self._connect()
        self._idle.append(connection)
        _use_wal(connection, self._busy_s)
        version = prepare(connection)
        if self.path.stat().st_size <= CHECKED_MIB * 2**20:
            check_quickly(connection, self.path)
        return version

    def _check_size(self) -> None:
        """A file that was cut off, which SQLite would call damaged without saying how."""
        if missing_end(self.path):
            time.sleep(0.05)  # another process may have been about to fold its log into the file
            if missing_end(self.path):
                raise UserError("the file is damaged: its end is missing", where=str(self.path), remedy=RESTORE)

    def _open_to_read(self) -> int:
        """Without a byte written beside it: as it is, or, where that takes more (its log, a migration), as a copy."""
        log = self.path.with_name(f"{self.path.name}-wal")
        if self.path.exists() and not self.path.stat().st_size:
            raise UserError("holds no examples yet", where=str(self.path), remedy="it is empty, and cannot be written")
        self._check_size()
        plain = self._uri
        for mode in ("?mode=ro", "" if log.exists() and log.stat().st_size else "?mode=ro&immutable=1"):
            if not mode:
                break
            self._uri = plain + mode
            try:
                connection = self._connect()
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            except sqlite3.OperationalError:
                continue
            if version >= VERSION:
                self._idle.append(connection)
                return version
            connection.close()
            break
        self._copy = tempfile.TemporaryDirectory(prefix="studio-")
        copy = Path(self._copy.name) / self.path.name
        try:
            for name in (self.path, log):
                if name.exists():
                    shutil.copyfile(name, copy.with_name(name.name))
        except OSError as error:
            raise disk_error(error, self.path, doing="cannot be read") from error
        self._uri = copy.as_uri()
        connection = self._connect()
        self._idle.append(connection)
        return prepare(connection, keep=False)

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise self._was_closed()
        connection = sqlite3.connect(
            self._uri, timeout=self._busy_s, isolation_level=None, check_same_thread=False, uri=True
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -16384")  # KiB
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    # Use

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

    @contextmanager
    def _alone(self, wait: bool) -> Iterator[None]:
        if not self._writing.acquire(blocking=wait):
            raise WouldWait
        try:
            yield
        finally:
            self._writing.release()

    def _begin_at_once(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if _busy(error):
                raise WouldWait from error
            raise
        finally:
            connection.execute(f"PRAGMA busy_timeout = {round(self._busy_s * 1000)}")

    def _begin(self, connection: sqlite3.Connection) -> None:
        waited = False
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not _busy(error) or self._gives_up is None or self._gives_up():
                    raise
            if not waited:
                _log.warning("%s: kept busy by another program; waiting until it is free", self.path)
            waited = True
            self._check_place()

    def _check_place(self) -> None:
        """SQLite goes on writing to a file that somebody has deleted, and nobody would ever see it again."""
        try:
            there = os.stat(self._name)  # noqa: PTH116 - at every write: a third of the cost
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


def explained(error: sqlite3.Error, path: Path) -> UserError | None:
    """The error for the user; None where it is ours. Extended result codes count as their primary one."""
    told = _REMEDIES.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    return UserError(told[0], where=str(path), remedy=told[1]) if told else None


def missing_end(path: Path) -> int:
    """Bytes that a file lacks by its own account, while nothing of it is in its log."""
    with path.open("rb") as file:
        head = file.read(100)
        size = file.seek(0, os.SEEK_END)
    log = path.with_name(f"{path.name}-wal")
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0") or (log.exists() and log.stat().st_size):
        return 0
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    return max(0, pages * (65536 if page == 1 else page) - size)


def _writable(path: Path) -> bool:
    """Whether SQLite could write there: also its log, which lies beside the file."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def _busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _use_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """Of several processes that turn a new file to WAL at once, SQLite refuses some without waiting."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
