"""The stage in which a model writes people: its job, followed to its end, and the worker beside it where the studio
serves the model."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from studio.bank import model_job
from studio.bank.model_job import CONCURRENCY, PeopleParams, Task, check_model
from studio.bank.types import HopFinished, PeopleFinished
from studio.build.authors import serve_author
from studio.build.session import BuildEvent, Session, StageEnded, StageError, StageTold, Tell, run_job
from studio.jobs import JobContext, active, start
from studio.serve import served_settings
from studio.train import resolve_base


async def people_stage(
    tell: Tell,
    session: Session,
    task: Task,
    *,
    strict: bool = False,
    language: str | None = "en",
    concurrency: int = CONCURRENCY,
) -> tuple[PeopleFinished, list[HopFinished]]:
    """People by ``task``; how it ended, and the hops of relations.

    Raises :class:`studio.errors.UserError` before any job where no model is there to be asked.
    """
    entry, params = people_job(session, task, strict=strict, language=language, concurrency=concurrency)
    jobs_dir, finished, hops = session.workspace.jobs_dir, [], []
    running = active(jobs_dir, "bank")
    if running is not None and running.request.params != params.model_dump(mode="json"):
        remedy = f"wait for it, or: studio jobs stop {running.id}"
        raise StageError("another bank is being built", where=running.id, remedy=remedy)
    await _check(session, task.method)

    def listen(event: BuildEvent) -> None:
        if isinstance(event, StageTold) and event.event.kind == "people_finished":
            finished.append(PeopleFinished.model_validate(event.event.data, extra="ignore"))
        if isinstance(event, StageTold) and event.event.kind == "hop_finished":
            hops.append(HopFinished.model_validate(event.event.data, extra="ignore"))
        tell(event)

    await run_job(listen, session, "bank", partial(start, jobs_dir, "bank", entry, params), lambda: bool(finished))
    end = finished[-1]
    tell(StageEnded(stage="bank", note=f"{end.done} of {end.wanted} people by {end.method}"))
    return end, hops


def people_job(
    session: Session,
    task: Task,
    *,
    seed: int | None = None,
    strict: bool = False,
    language: str | None = "en",
    concurrency: int = CONCURRENCY,
) -> tuple[str, PeopleParams]:
    """The entry of the job that makes people by ``task``, and what it is asked; the seed is the session's if None."""
    params = PeopleParams(
        spec_path=str(session.loaded.path),
        workspace=str(session.root),
        task=task,
        settings=session.settings,
        seed=session.seed if seed is None else seed,
        strict=strict,
        language=language,
        concurrency=concurrency,
    )
    local = session.settings.author_local is not None
    return "studio.build.people:main" if local else "studio.bank.model_job:main", params


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry where the studio serves the model that writes: it holds the worker until its own end."""
    asked = PeopleParams.model_validate(params, extra="ignore")
    assert asked.settings.author_local is not None, "people_stage gives another entry"
    with await serve_author(context.folder.parent, asked.settings.author_local) as server:
        settings = asked.settings.model_copy(update={"author_served": served_settings(server.ready, "base")})
        await model_job.main(asked.model_copy(update={"settings": settings}).model_dump(mode="json"), context)


async def _check(session: Session, method: str) -> None:
    check_model(session.settings, method)
    if session.settings.author_local is not None:
        await asyncio.to_thread(resolve_base, session.settings.author_local)
