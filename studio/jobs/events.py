"""``events.jsonl``: append-only, one event a line, read by byte offset."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from studio.jobs.types import Event


class EventLog:
    """The writing end. Lines are whole or not there: a torn last line of a killed writer is cut off first."""

    def __init__(self, path: Path) -> None:
        _cut_torn_line(path)
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def add(self, event: BaseModel) -> None:
        """Append an event that has a ``kind``; readers see it when this returns."""
        data = event.model_dump(mode="json")
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "kind": data["kind"], "data": data})
        with self._lock:
            self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The whole lines from ``offset`` (bytes) on, and the offset behind them."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            raw = file.read()
    except FileNotFoundError:
        return [], offset
    whole = raw.rfind(b"\n") + 1
    return [event for line in raw[:whole].splitlines() if (event := _event(line))], offset + whole


def _event(line: bytes) -> Event | None:
    try:
        return Event.model_validate_json(line)
    except ValidationError:
        return None  # damaged from outside; the lines around it still count


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        raw = file.read()
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            file.truncate(whole)
            os.fsync(file.fileno())
