"""Starting jobs, finding them, and following them."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import BaseModel

from studio.errors import UserError
from studio.files import write_atomic
from studio.jobs import lock
from studio.jobs.folder import ATTEMPT, ENDING, LOCK, LOG, REQUEST, Attempt, read_model
from studio.jobs.job import STOP_ASKED, Job, now
from studio.jobs.types import Event, JobRequest

LOCK_FD_VARIABLE = "STUDIO_JOB_LOCK_FD"
ATTEMPT_VARIABLE = "STUDIO_JOB_ATTEMPT"


class AlreadyRunning(UserError):  # noqa: N818  (named as it is told)
    """A stage of a persona has one living job at most."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"{job.stage} is running already", where=job.id, remedy="stop it first, or watch it")
        self.job = job


def start(jobs_dir: Path, stage: str, entry: str, params: BaseModel) -> Job:
    """Start a job in a process and session of its own. ``entry`` is ``module:function``.

    Raises :class:`AlreadyRunning` where the stage has a living job, also when two windows start at once.
    """
    jobs_dir.mkdir(parents=True, exist_ok=True)
    with _StageGate(jobs_dir, stage):
        created = now()
        name = f"{created:%Y%m%d-%H%M%S}-{stage}-{secrets.token_hex(3)}"
        request = JobRequest(id=name, stage=stage, entry=entry, params=params.model_dump(mode="json"), created=created)
        folder = jobs_dir / name
        folder.mkdir(mode=0o700)
        write_atomic(folder / REQUEST, request.model_dump_json(indent=2) + "\n", mode=0o600)
        job = Job(folder)
        _spawn(job)
        return job


def resume(job: Job) -> Job:
    """Start an ended job again: the same folder and request, a new process, events appended."""
    with _StageGate(job.folder.parent, job.stage):
        _spawn(job)
        return Job(job.folder)


def list_jobs(jobs_dir: Path, stage: str | None = None) -> list[Job]:
    """The jobs there, newest first; folders that are no jobs are passed over."""
    if not jobs_dir.is_dir():
        return []
    found = []
    for folder in sorted(jobs_dir.iterdir(), reverse=True):
        try:
            job = Job(folder)
        except UserError:
            continue
        if stage is None or job.stage == stage:
            found.append(job)
    return sorted(found, key=lambda job: job.request.created, reverse=True)


def active(jobs_dir: Path, stage: str) -> Job | None:
    """The stage's living job."""
    return next((job for job in list_jobs(jobs_dir, stage) if job.alive), None)


async def follow(job: Job, offset: int = 0, poll: float = 0.1) -> AsyncIterator[Event]:
    """Its events from ``offset`` on, until it has ended. ``poll`` is seconds between two looks."""
    while True:
        alive = job.alive  # before the events: what it wrote last is read after it ended
        fresh, offset = await asyncio.to_thread(job.events, offset)
        for event in fresh:
            yield event
        if not alive:
            return
        await asyncio.sleep(poll)


def _spawn(job: Job) -> None:
    """The child inherits the lock, so that there is no moment in which a starting job looks dead."""
    held = lock.take(job.folder / LOCK)
    if held is None:
        raise AlreadyRunning(job)
    try:
        before = read_model(job.folder / ATTEMPT, Attempt)
        number = before.number + 1 if before else 1
        for leftover in (ENDING, STOP_ASKED):
            (job.folder / leftover).unlink(missing_ok=True)
        os.set_inheritable(held, True)
        environment = {**os.environ, LOCK_FD_VARIABLE: str(held), ATTEMPT_VARIABLE: str(number)}
        with (job.folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "studio.jobs.worker", str(job.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(held,),
                env=environment,
            )
        _children.append(process)
        attempt = Attempt(number=number, pid=process.pid, started=now())
        write_atomic(job.folder / ATTEMPT, attempt.model_dump_json() + "\n", mode=0o600)
    finally:
        os.close(held)


_children: list[subprocess.Popen[bytes]] = []
"""Kept so that ended children of this process are reaped by the next start, and not at random."""


class _StageGate:
    """Lets one process at a time start a job of a stage, and only where none lives."""

    def __init__(self, jobs_dir: Path, stage: str) -> None:
        self._jobs_dir, self._stage = jobs_dir, stage
        self._handle: int | None = None

    def __enter__(self) -> None:
        path = self._jobs_dir / f".{self._stage}.starting"
        self._handle = lock.take(path, wait=True)
        _children[:] = [child for child in _children if child.poll() is None]
        living = active(self._jobs_dir, self._stage)
        if living:
            self.__exit__()
            raise AlreadyRunning(living)

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
