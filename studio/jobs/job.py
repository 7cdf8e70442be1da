"""A job as anybody sees it: through its folder alone, whoever started it; the list of them, and their end."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from studio.errors import UserError
from studio.jobs.events import read_events
from studio.jobs.record import (
    ENDED,
    LAST_WORDS,
    LIVING,
    Event,
    JobPaths,
    JobRequest,
    JobView,
    State,
    Status,
    read_status,
)
from studio.machine.lock import is_held, read_pid

_LOOK_S = 0.02
_TAIL_BYTES = 1 << 16
_AT_ONCE = 1 << 20
"""Bytes of events read between two turns of the loop."""


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
        except OSError as error:
            remedy = "look at its owner and permissions, or remove its folder"
            raise UserError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error

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
        except OSError:
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


async def follow(job: Job, offset: int = 0, poll: float = 0.1) -> AsyncIterator[Event]:
    """Events from the byte ``offset`` on, then new ones, looked for every ``poll`` seconds, until the job has ended."""
    import asyncio

    while True:
        ended = job.view().state in ENDED  # looked at before the events: what has ended has told everything
        while True:
            events, after = job.events(offset, limit=_AT_ONCE)
            for event in events:
                yield event
            if after == offset:
                break
            offset = after
            await asyncio.sleep(0)
        if ended:
            return
        await asyncio.sleep(poll)


class BrokenJob(NamedTuple):
    """A folder that should hold a job and holds none that can be read, and one line on why."""

    folder: Path
    reason: str


def list_jobs(jobs_dir: Path, stage: str | None = None) -> list[Job]:
    """All jobs that can be read, or those of one stage, newest first."""
    return [job for job in _scan(jobs_dir)[0] if stage is None or job.stage == stage]


def broken_jobs(jobs_dir: Path) -> list[BrokenJob]:
    """What :func:`list_jobs` leaves out because it cannot be read; a folder without any trace of a job is none."""
    return _scan(jobs_dir)[1]


def active(jobs_dir: Path, stage: str) -> Job | None:
    """The living job of a stage, if there is one."""
    return next((job for job in list_jobs(jobs_dir, stage) if job.alive), None)


def prunable(jobs_dir: Path, days: float) -> list[Job]:
    """Jobs that ended more than ``days`` ago, oldest first, but for the newest of each stage: that one may be resumed,
    and the window tells of it."""
    before, newest, found = datetime.now(UTC) - timedelta(days=days), set[str](), list[Job]()
    for job in list_jobs(jobs_dir):
        view = job.view()
        if job.stage in newest and view.state in ENDED and (view.ended or job.request.created) < before:
            found.append(job)
        newest.add(job.stage)
    return found[::-1]


def remove(job: Job) -> None:
    """Forget an ended job: its folder goes, with its events and its log. Raises UserError where it cannot go."""
    try:
        shutil.rmtree(job.folder)
    except OSError as error:
        remedy = "look at its owner and permissions"
        raise UserError(f"cannot be removed: {error.strerror}", where=str(job.folder), remedy=remedy) from error


def _scan(jobs_dir: Path) -> tuple[list[Job], list[BrokenJob]]:
    jobs, broken = list[Job](), list[BrokenJob]()
    try:
        folders = [folder for folder in jobs_dir.iterdir() if not folder.name.startswith(".") and folder.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        return [], [BrokenJob(jobs_dir, f"cannot be read: {error.strerror}")]
    for folder in folders:
        job = Job(folder)
        try:
            _ = job.request
        except UserError as error:
            if not _is_strange(job):
                broken.append(BrokenJob(folder, f"job.json: {error.message}"))
        else:
            jobs.append(job)
    return sorted(jobs, key=lambda job: (job.request.created, job.id), reverse=True), sorted(broken)


def _is_strange(job: Job) -> bool:
    """Whether a folder was never a job's, or is one that is being made."""
    with suppress(OSError):
        return not any(os.path.lexists(path) for path in (job.paths.request, job.paths.status, job.paths.events))
    return False
