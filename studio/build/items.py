"""A stage of offline inference: its job, followed to its end, and the worker beside it where the studio serves the
model."""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from typing import Any

from studio.build.authors import serve_author
from studio.build.session import BuildEvent, Session, StageEnded, StageError, StageTold, Tell, run_job
from studio.chatml import Frozen
from studio.errors import UserError
from studio.inference import ItemsFinished, ItemsParams
from studio.jobs import JobContext, active, start
from studio.serve import served_settings
from studio.train import resolve_base


async def items_stage(
    tell: Tell, session: Session, stage: str, entry: str, params: ItemsParams, *, writes: bool = True
) -> ItemsFinished:
    """Run ``entry`` (``module:function``) as the job ``stage`` over ``params``, and follow it; how it ended.
    ``writes``: whether it needs the model that writes.

    Raises :class:`studio.errors.UserError` before any job where no model is there to be asked, and
    :class:`StageError` where the stage has another job under way.
    """
    jobs_dir, finished = session.workspace.jobs_dir, []
    asked = _asked(entry, params)
    running = active(jobs_dir, stage)
    if running is not None and running.request.params != asked[1].model_dump(mode="json"):
        remedy = f"wait for it, or: studio jobs stop {running.id}"
        raise StageError(f"another job of {stage} is under way", where=running.id, remedy=remedy)
    if writes:
        check_model(session, stage)
    if session.settings.author_local is not None:
        await asyncio.to_thread(resolve_base, session.settings.author_local)

    def listen(event: BuildEvent) -> None:
        if isinstance(event, StageTold) and event.event.kind == "items_finished":
            finished.append(ItemsFinished.model_validate(event.event.data, extra="ignore"))
        tell(event)

    await run_job(listen, session, stage, partial(start, jobs_dir, stage, *asked), lambda: bool(finished))
    end = finished[-1]
    tell(StageEnded(stage=stage, note=f"{end.done} of {end.wanted} {end.task}"))
    return end


def check_model(session: Session, what: str) -> None:
    """Raises :class:`UserError` where ``what`` has no model to ask, with what to do."""
    settings = session.settings
    if settings.author_offline:
        remedy = "name a server, --endpoint URL --model NAME, or set OPENAI_API_KEY"
        raise UserError("needs a model to ask", where=what, remedy=remedy)
    if settings.author_local is None and settings.model is None:
        raise UserError("no model is named", where=what, remedy="name one with --model or STUDIO_MODEL")


def items_job(session: Session, stage: str, entry: str, params: ItemsParams) -> tuple[str, ItemsParams | ServedParams]:
    """Entry and parameters of such a job, for whoever starts it without following it. Raises as :func:`items_stage`."""
    check_model(session, stage)
    return _asked(entry, params)


class ServedParams(Frozen):
    """A job's entry and its parameters, whose model the studio serves."""

    entry: str
    params: dict[str, Any]


def _asked(entry: str, params: ItemsParams) -> tuple[str, ItemsParams | ServedParams]:
    if params.settings.author_local is None:
        return entry, params
    return "studio.build.items:main", ServedParams(entry=entry, params=params.model_dump(mode="json"))


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry where the studio serves the model: it holds the worker until its own end."""
    served = ServedParams.model_validate(params, extra="ignore")
    asked = ItemsParams.model_validate(served.params, extra="ignore")
    assert asked.settings.author_local is not None, "items_stage gives another entry"
    module, _, function = served.entry.partition(":")
    with await serve_author(context.folder.parent, asked.settings.author_local) as server:
        settings = asked.settings.model_copy(update={"author_served": served_settings(server.ready, "base")})
        entry = getattr(import_module(module), function)
        await entry(served.params | {"settings": settings.model_dump(mode="json")}, context)
