"""A session: one persona in one workspace, what its stages tell, and a stage's job, followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.files import as_seen
from studio.jobs import Event, Job, active, follow
from studio.llm import ModelSettings
from studio.spec import LoadedSpec
from studio.store import Workspace

STOP_S, CANCEL_S = 60.0, 10.0
"""How long a job that is asked to stop may take to save, and then to give up what it waits for, before we leave."""


@dataclass(frozen=True)
class Session:
    """One persona in one workspace, and the choices of whoever works on it."""

    loaded: LoadedSpec
    workspace: Workspace
    root: Path
    settings: ModelSettings
    base: str | None = None
    """Base model instead of the spec's."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """Hyperparameters instead of the preset's, by the names of ``studio.train.types.Recipe``."""
    examples: int | None = None
    """Accepted examples wanted instead of the spec's."""
    snapshot: str | None = None
    """The snapshot of the dataset to train on; None: of what is accepted now."""
    seed: int = 0
    concurrency: int | None = None
    """Chains of author and judge at once; None follows what the endpoints bear."""
    check_fit: bool = False
    """Whether the judge also says if the user's side fits who asks."""

    @property
    def base_model(self) -> str:
        return self.base or self.loaded.spec.deployment.base_model


class StageBegan(Frozen):
    stage: str
    note: str = ""


class StageTold(Frozen):
    """An event of the stage's own job, as its log holds it."""

    stage: str
    event: Event


class StageEnded(Frozen):
    """``skipped`` where it was already done and nothing had to be done again."""

    stage: str
    note: str = ""
    skipped: bool = False


class StageError(UserError):
    """A stage that could not be done. What it did so far is kept."""


BuildEvent = StageBegan | StageTold | StageEnded
Tell = Callable[[BuildEvent], None]
"""Whoever listens to a stage."""


async def run_job(
    tell: Tell, session: Session, stage: str, begin: Callable[[], Job], done: Callable[[], bool], note: str = ""
) -> None:
    """Follow the stage's living job, if it has one; where that leaves something to do, ``begin`` one and follow it.

    The living one may have been asked something else (another target, another recipe) or be stopping already, so its
    end decides nothing. Raises :class:`StageError` where a job fails, dies, or somebody stops it meanwhile.
    """
    running = active(session.workspace.jobs_dir, stage)
    tell(StageBegan(stage=stage, note="following the job that runs already" if running else note))
    stopped = StageError(f"{stage} was stopped", remedy="run the same command to go on")
    if running is not None:
        was_stopping = running.view().state == "stopping"
        await _follow(tell, stage, running)
    if done():
        return
    if running is not None:
        if running.view().state == "stopped" and not was_stopping:
            raise stopped
        tell(StageBegan(stage=stage, note=note))
    job = begin()
    await _follow(tell, stage, job)
    view = job.view()
    if view.state in ("failed", "dead"):
        again = "run the same command to go on; " if view.state == "dead" else ""
        remedy = f"{again}its log: {as_seen(job.paths.log)}"
        raise StageError(view.error or f"{stage} ended without a word", remedy=remedy)
    if view.state == "stopped":
        raise stopped


async def _follow(tell: Tell, stage: str, job: Job) -> None:
    """Tell a job's events until it ends. Whoever cancels this stops the job, and comes back once it has saved; who
    cancels it again has the job give up what it waits for."""
    try:
        async for event in follow(job):
            tell(StageTold(stage=stage, event=event))
    except BaseException:
        heard = job.paths.events.stat().st_size if job.paths.events.exists() else 0
        job.stop()
        try:
            async with asyncio.timeout(STOP_S):
                async for event in follow(job, heard):
                    tell(StageTold(stage=stage, event=event))
        except TimeoutError:
            pass  # it stops in its own time
        except BaseException:
            job.stop()
            job.wait(CANCEL_S)
            raise
        raise
