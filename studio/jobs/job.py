"""A job as anybody sees it: through its folder alone, whoever started it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from studio.errors import UserError
from studio.jobs.events import read_events
from studio.jobs.lock import is_held, read_pid
from studio.jobs.paths import JobPaths
from studio.jobs.status import LAST_WORDS, Status, read_status
from studio.jobs.types import ENDED, LIVING, Event, JobRequest, JobView, State

_LOOK_S = 0.02
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Job:
    """Cheap to make; two of the same folder are equal."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def stage(self) -> str:
        return self.request.stage

    @cached_property
    def paths(self) -> JobPaths:
        return JobPaths(self.folder)

    @cached_property
    def request(self) -> JobRequest:
        """Raises :class:`UserError` where the folder holds no job."""
        path = self.paths.request
        try:
            return JobRequest.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise UserError("no job here", where=str(self.folder)) from error
        except ValidationError as error:
            raise UserError("not a job of this version", where=str(path), remedy="remove its folder") from error

    def view(self) -> JobView:
        """How it stands at this moment."""
        status = read_status(self.paths.status)
        if status is None or status.phase not in LAST_WORDS:
            if is_held(self.paths.lock):
                return self._living(read_status(self.paths.status) or status)
            status = read_status(self.paths.status) or status  # its last word may have come between the two looks
        if status is not None and status.phase in LAST_WORDS:
            return self._as(status.phase, status)
        return self._as("dead", status, "killed, perhaps for want of memory; what is done is kept")

    def _living(self, status: Status | None) -> JobView:
        if status is not None and status.phase in LAST_WORDS:
            return self._as(status.phase, status)
        if self.paths.stop.exists():
            return self._as("stopping", status)
        return self._as("running" if status is not None and status.phase == "running" else "starting", status)

    def _as(self, state: State, status: Status | None, error: str | None = None) -> JobView:
        status = status or Status(phase="starting")
        return JobView(
            request=self.request,
            state=state,
            pid=read_pid(self.paths.lock) if state in LIVING else status.pid,
            error=error or status.error,
            started=status.started,
            ended=status.ended,
        )

    @property
    def alive(self) -> bool:
        return self.view().state in LIVING

    def events(self, offset: int = 0, limit: int | None = None) -> tuple[list[Event], int]:
        """Whole events from byte ``offset`` on, and the offset to go on from; ``limit`` in bytes a call."""
        return read_events(self.paths.events, offset, limit)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what the worker printed; not inert."""
        try:
            with self.paths.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""

    def stop(self) -> None:
        """Ask it to save and end. One that has ended stays as it is."""
        state = self.view().state
        if state in ENDED:
            return
        self.paths.stop.touch()
        # A worker that is still starting has no handler yet: it finds the file as soon as it has one.
        status = read_status(self.paths.status)
        if status is not None and status.phase == "running":
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now, with the processes that it started. What it did not save is lost; it can be resumed."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        pid = read_pid(self.paths.lock)
        if pid is None or not is_held(self.paths.lock):  # held: so the pid is the worker's, and nobody else's
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)

    def wait(self, timeout: float | None = None) -> JobView:
        """Block until it ends, at most ``timeout`` seconds; how it stands then."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            view = self.view()
            if view.state in ENDED or (deadline is not None and time.monotonic() >= deadline):
                return view
            time.sleep(_LOOK_S)
