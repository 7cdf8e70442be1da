"""``events.jsonl``: one event a line, appended by the worker, read by anybody from where they left off."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from studio.errors import disk_error
from studio.jobs.record import Event

_BLOCK = 1 << 16


class EventLog:
    """The worker's end. Each event is one write, so that a kill leaves at most one torn line, at the end."""

    def __init__(self, path: Path) -> None:
        repair(path)
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._lock = threading.Lock()

    def append(self, event: BaseModel) -> None:
        """Raises :class:`studio.errors.UserError` when the disk takes no more; the log ends with the one before."""
        kind = getattr(event, "kind", None)
        if not isinstance(kind, str):
            raise TypeError(f"an event names its kind: {type(event).__name__} has none")
        head = f'{{"at":"{datetime.now(UTC).isoformat()}","kind":"{kind}","data":'
        line = (head + event.model_dump_json() + "}\n").encode()
        with self._lock:
            self._write(line)

    def _write(self, line: bytes) -> None:
        before = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
            if written < len(line):  # the disk took a part: the rest tells why
                os.write(self._file, line[written:])
        except OSError as error:
            os.ftruncate(self._file, before)
            remedy = "make room, then resume the job"
            raise disk_error(error, self._path, doing="no event can be written", remedy=remedy) from error

    def sync(self) -> None:
        """Make what was appended survive a power cut."""
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_events(path: Path, offset: int = 0, limit: int | None = None) -> tuple[list[Event], int]:
    """Events from the byte ``offset`` on, and the offset to go on from: always the beginning of a line.

    A last line without its end is left for later; a line that cannot be read is passed over. ``limit`` bounds the
    bytes read at once (at least one whole line is returned if there is one).
    """
    try:
        file = path.open("rb")
    except OSError:  # not there, or not a file of ours
        return [], offset
    with file:
        file.seek(offset)
        data = file.read() if limit is None else file.read(limit)
        if limit is not None and len(data) == limit and b"\n" not in data:
            data += file.readline()
    end = data.rfind(b"\n") + 1
    events = [event for line in data[:end].splitlines() if (event := _parsed(line)) is not None]
    return events, offset + end


def _parsed(line: bytes) -> Event | None:
    try:
        return Event.model_validate_json(line)
    except ValidationError:
        return None


def repair(path: Path) -> None:
    """Cut off a torn last line, so that the next event begins a line of its own."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return
    with file:
        end = size = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            file.truncate(end)
