"""What a job's own code gets: its folder, a place for events, and word of a wish to stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from studio.jobs.events import EventLog


class JobContext:
    """Handed to a job's entry."""

    def __init__(self, folder: Path, log: EventLog) -> None:
        self.id, self.folder = folder.name, folder
        self.stop_requested = False
        self._log = log
        self._callbacks: list[Callable[[], None]] = []

    def emit(self, event: BaseModel) -> None:
        """Tell what happened; ``event`` has a ``kind``."""
        self._log.add(event)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called when a stop is asked for; at once where it was already."""
        self._callbacks.append(callback)
        if self.stop_requested:
            callback()

    def request_stop(self) -> None:
        """As the signal handler does."""
        self.stop_requested = True
        for callback in self._callbacks:
            callback()
