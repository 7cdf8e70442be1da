"""What a job's entry is given: where it works, how it tells, and whether it is asked to stop."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from studio.jobs.events import EventLog


class JobContext:
    """One for the life of a worker. ``emit`` and ``stop_requested`` may be used from any thread."""

    def __init__(self, folder: Path, log: EventLog) -> None:
        self.id = folder.name
        self.folder = folder
        self._log = log
        self._stop, self._cancel = threading.Event(), threading.Event()
        self._callbacks: list[Callable[[], object]] = []
        self._loop: AbstractEventLoop | None = None

    def emit(self, event: BaseModel) -> None:
        """Append an event (a model with a ``kind``). When this returns, a kill of this process cannot lose it."""
        self._log.append(event)

    def sync(self) -> None:
        """Make what was emitted survive a power cut. Raises OSError."""
        self._log.sync()

    @property
    def stop_requested(self) -> bool:
        """Whether to come to an end: save, and return."""
        return self._stop.is_set()

    @property
    def cancel_requested(self) -> bool:
        """Whether a stop was asked for twice: save, and leave what is under way."""
        return self._cancel.is_set()

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` in the main thread once a stop is asked for; at once if it was.

        Of an async entry it is called by the event loop, so it may set an :class:`asyncio.Event`.
        """
        self._callbacks.append(callback)
        if self.stop_requested:
            self._call(callback)

    def request_stop(self) -> None:
        """What SIGTERM does; a second one asks for more."""
        if self._stop.is_set():
            self._cancel.set()
            return
        self._stop.set()
        for callback in tuple(self._callbacks):
            self._call(callback)

    def attach(self, loop: AbstractEventLoop) -> None:
        """Run the callbacks in this loop from now on."""
        self._loop = loop

    def _call(self, callback: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback)
            return
        try:
            callback()
        except Exception:  # it was called out of a signal: the work that it interrupted must not pay for it
            traceback.print_exc()
