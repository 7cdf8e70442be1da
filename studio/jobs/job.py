"""A job as its watchers see it."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from studio.errors import UserError
from studio.jobs import events, lock
from studio.jobs.folder import ATTEMPT, ENDING, EVENTS, LOCK, LOG, REQUEST, Attempt, Ending, read_model
from studio.jobs.types import Event, JobRequest, JobView, State

ALIVE: tuple[State, ...] = ("starting", "running", "stopping")
STOP_ASKED = "stop"
LOG_TAIL_BYTES = 64_000


class Job:
    """A job by its folder. Watching it never changes it; any number of processes may."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        request = read_model(folder / REQUEST, JobRequest)
        if request is None:
            raise UserError("not a job", where=str(folder), remedy="remove the folder")
        self.request: JobRequest = request

    @property
    def id(self) -> str:
        return self.request.id

    @property
    def stage(self) -> str:
        return self.request.stage

    @property
    def alive(self) -> bool:
        return lock.is_held(self.folder / LOCK)

    def view(self) -> JobView:
        """How it stands now."""
        alive = self.alive  # before the files: what ended meanwhile has written its last word
        attempt = read_model(self.folder / ATTEMPT, Attempt)
        ending = read_model(self.folder / ENDING, Ending)
        if ending and attempt and ending.attempt != attempt.number:
            ending = None
        state, error = self._state(alive, attempt, ending)
        return JobView(
            request=self.request,
            state=state,
            pid=attempt.pid if attempt else None,
            error=error,
            started=attempt.started if attempt else None,
            ended=ending.at if ending and state not in ALIVE else None,
        )

    def _state(self, alive: bool, attempt: Attempt | None, ending: Ending | None) -> tuple[State, str | None]:
        if alive:
            if (self.folder / STOP_ASKED).exists():
                return "stopping", None
            return ("running", None) if (self.folder / EVENTS).exists() and attempt else ("starting", None)
        if ending:
            return ending.state, ending.error
        return "dead", "the process was killed before it could say why; see its log"

    def events(self, offset: int = 0) -> tuple[list[Event], int]:
        """Its events from a byte offset on, and the offset to go on from."""
        return events.read(self.folder / EVENTS, offset)

    def stop(self) -> None:
        """Ask it to save and end (SIGTERM). Harmless when it has ended."""
        if self.alive:
            (self.folder / STOP_ASKED).touch()
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now (SIGKILL), with everything it started."""
        if self.alive:
            self._signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> JobView:
        """How it stands once it has ended, or after ``timeout`` seconds."""
        ends = None if timeout is None else time.monotonic() + timeout
        while self.alive and (ends is None or time.monotonic() < ends):
            time.sleep(0.02)
        return self.view()

    def log_tail(self, lines: int = 20) -> str:
        """The end of what it printed."""
        try:
            with (self.folder / LOG).open("rb") as file:
                file.seek(max(0, (self.folder / LOG).stat().st_size - LOG_TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        attempt = read_model(self.folder / ATTEMPT, Attempt)
        if attempt is None:
            return
        try:
            if number == signal.SIGKILL:
                os.killpg(attempt.pid, number)  # the worker leads its own session
            else:
                os.kill(attempt.pid, number)
        except ProcessLookupError:
            return  # it ended in between


def now() -> datetime:
    return datetime.now(UTC)
