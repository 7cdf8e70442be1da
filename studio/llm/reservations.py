"""Reservations: what the calls under way may cost, of all processes that go on one record.

Each process keeps its sum in a file of its own in the folder ``reserved`` beside the record, and a lock on that file
for as long as it lives: what a dead one reserved counts no more. Batches at a server have a file that needs nobody
alive. Who reserves more holds the folder's lock meanwhile; to give back takes none, since a sum that is read too high
only makes another wait. Where the folder cannot be written, and for a record that is no file, the calls of this process
are all that count.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from studio.files import write_atomic
from studio.machine.lock import give, is_held, take

FOLDER, LOCK, STANDING = "reserved", "lock", "standing"
_USD = struct.Struct("d")
_OPEN: dict[Path, Reservations] = {}
_OPENING = threading.Lock()


class Reservations:
    """What is reserved beside one record. One in each process: see :func:`reservations_at`."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: None for a record that no other process knows."""
        self._folder = folder
        self._lock_path = f"{folder / LOCK}" if folder is not None else ""
        self._usd, self._calls = 0.0, 0
        self._guard = threading.Lock()
        self._lock = self._mine = -1
        self._opened_as = (-1, -1)
        """The process that did, and the lock's inode."""
        self._name = ""

    @contextmanager
    def deciding(self) -> Iterator[float | None]:
        """US dollars that all have reserved; nobody reserves more until the block ends. None where another process
        does so at this moment: then nothing may be reserved."""
        with self._guard:
            if self._folder is None or not self._opened(self._folder):
                yield self._usd
                return
            if not take(self._lock):
                yield None
                return
            try:
                self._enter(self._folder)
                yield self._usd + self._others(self._folder)
            finally:
                give(self._lock)

    def add(self, usd: float) -> None:
        """Reserve: for one who is :meth:`deciding`."""
        self._calls += 1
        self._keep(self._usd + usd)

    def give_back(self, usd: float) -> None:
        with self._guard:
            self._calls -= 1
            self._keep(self._usd - usd if self._calls else 0.0)

    def stand(self, usd: float) -> None:
        """What stands reserved whoever lives, as by batches at a server: so much, and no longer what it was before."""
        if self._folder is not None and (usd or (self._folder / STANDING).exists()):
            with suppress(OSError):
                self._folder.mkdir(mode=0o700, exist_ok=True)
                write_atomic(self._folder / STANDING, _USD.pack(usd))

    @property
    def shared(self) -> bool:
        """Whether other processes reserve too."""
        return self._folder is not None

    def _keep(self, usd: float) -> None:
        self._usd = usd
        if self._mine >= 0:
            with suppress(OSError):
                os.pwrite(self._mine, _USD.pack(usd), 0)

    def _opened(self, folder: Path) -> bool:
        """Whether the lock is open, and the folder still there; a fork opens it anew, since it would share the lock."""
        with suppress(OSError):
            if (os.getpid(), os.stat(self._lock_path).st_ino) == self._opened_as:  # noqa: PTH116 - before each call
                return True
        for handle in (self._lock, self._mine):
            if handle >= 0:
                os.close(handle)
        self._lock = self._mine = -1
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        self._opened_as = (os.getpid(), os.fstat(self._lock).st_ino)
        return True

    def _enter(self, folder: Path) -> None:
        """Have a file of one's own; under the folder's lock, since one that nobody holds is swept."""
        if self._mine >= 0:
            return
        self._name = f"{os.getpid()}-{uuid4().hex[:8]}"
        with suppress(OSError):
            mine = os.open(folder / self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            take(mine)
            self._mine = mine
            self._keep(self._usd)

    def _others(self, folder: Path) -> float:
        found = 0.0
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in (LOCK, self._name) or entry.name.startswith("."):  # one that is being written
                    continue
                path = folder / entry.name
                with suppress(OSError):
                    if entry.name != STANDING and not is_held(path):
                        path.unlink()
                    elif len(told := path.read_bytes()) == _USD.size:
                        found += max(0.0, _USD.unpack(told)[0])
        return found


def reservations_at(folder: Path | None) -> Reservations:
    """The one of this process for the records in ``folder``; one that nobody shares without."""
    if folder is None:
        return Reservations()
    with _OPENING:
        return _OPEN.setdefault(folder.absolute(), Reservations(folder / FOLDER))
