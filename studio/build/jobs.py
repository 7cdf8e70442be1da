"""A stage's job, followed to its end: the one that runs, then the one that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from studio.build.types import BuildEvent, Session, StageBegan, StageError, StageTold
from studio.files import as_seen
from studio.jobs import Job, active, follow

Stream = AsyncIterator[BuildEvent]
STOP_S = 60.0
"""How long a job that is asked to stop may take to save before its follower leaves."""


async def run_job(
    session: Session, stage: str, begin: Callable[[], Job], done: Callable[[], bool], note: str = ""
) -> Stream:
    """Follow the stage's living job, if it has one; where that leaves something to do, ``begin`` one and follow it.

    The living one may have been asked something else (another target, another recipe) or be stopping already, so its
    end decides nothing. Raises :class:`StageError` where a job fails, dies, or somebody stops it meanwhile.
    """
    running = active(session.workspace.jobs_dir, stage)
    yield StageBegan(stage=stage, note="following the job that runs already" if running else note)
    if running is not None:
        was_stopping = running.view().state == "stopping"
        async for event in _follow(stage, running):
            yield event
        if running.view().state == "stopped" and not was_stopping and not done():
            raise _stopped(stage)
        if done():
            return
        yield StageBegan(stage=stage, note=note)
    elif done():
        return
    job = begin()
    async for event in _follow(stage, job):
        yield event
    view = job.view()
    if view.state in ("failed", "dead"):
        again = "run the same command to go on; " if view.state == "dead" else ""
        remedy = f"{again}its log: {as_seen(job.paths.log)}"
        raise StageError(view.error or f"{stage} ended without a word", remedy=remedy)
    if view.state == "stopped":
        raise _stopped(stage)


async def _follow(stage: str, job: Job) -> Stream:
    """A job's events until it ends. Whoever cancels this stops the job, and comes back once it has saved."""
    ended = False
    try:
        async for event in follow(job):
            yield StageTold(stage=stage, event=event)
        ended = True
    finally:
        if not ended:
            job.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    async for _ in follow(job):
                        pass


def _stopped(stage: str) -> StageError:
    return StageError(f"{stage} was stopped", remedy="run the same command to go on")
