"""Improving as a job: for the window, which may be closed meanwhile; a stop ends the stage that is under way first."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from studio.build.improve import ImproveOptions, check_author, improve
from studio.build.improve_record import Improvement, improvements
from studio.build.session import Session
from studio.chatml import Frozen
from studio.jobs import Job, JobContext, start
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Workspace


class ImproveParams(Frozen):
    """``workspace`` is the root folder that holds a folder a persona."""

    spec_path: str
    workspace: str
    settings: ModelSettings
    options: ImproveOptions = ImproveOptions()
    seed: int = 0
    concurrency: int | None = None


class RoundTold(Frozen):
    """A step of a round was kept; ``line`` says what came of it."""

    kind: Literal["round_told"] = "round_told"
    improvement: str
    round: int
    line: str


STAGE = "improve"


def begin_improving(session: Session, params: ImproveParams) -> Job:
    """Start it, or go on with it after the person's review. Raises :class:`studio.errors.UserError` at once where
    nobody is there to write."""
    check_author(session)
    return start(session.workspace.jobs_dir, STAGE, "studio.build.improve_job:main", params)


def last_line(workspace: Workspace) -> str:
    """The newest round of the newest improvement, or why that ended; empty where there was none."""
    found = improvements(workspace)
    if not found:
        return ""
    last = found[-1]
    line = last.rounds[-1].line if last.rounds else last.id
    return f"{line}; ended: {last.ended}" if last.ended else line


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job. Started again, it goes on with the round that it was in."""
    asked = ImproveParams.model_validate(params, extra="ignore")
    loaded, root = load(Path(asked.spec_path)), Path(asked.workspace)
    with closing(Workspace.open(root, loaded.spec.slug, gives_up=lambda: context.cancel_requested)) as workspace:
        more = {"seed": asked.seed, "concurrency": asked.concurrency}
        session = Session(loaded, workspace, root, asked.settings, **more)  # type: ignore[arg-type]

        def heard(state: Improvement) -> None:
            line = state.rounds[-1].line if state.rounds else ""
            told = f"{line}; ended: {state.ended}".lstrip("; ") if state.ended else line
            context.emit(RoundTold(improvement=state.id, round=len(state.rounds), line=told))

        work = asyncio.ensure_future(improve(lambda _: None, session, asked.options, heard))
        context.on_stop(work.cancel)
        try:
            await work
        except asyncio.CancelledError:
            if not context.stop_requested:
                raise
