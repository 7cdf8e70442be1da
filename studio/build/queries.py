"""The stages of queries: made as one job, asked as another, with the worker of a run beside it where base and tuned are
asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from studio.build.items import items_stage
from studio.build.session import Session, Tell
from studio.errors import UserError
from studio.inference import ItemsFinished
from studio.jobs import JobContext
from studio.queries import Arm, AskParams, Chatbot, MakeParams, ask
from studio.queries.make import check_judge, check_topics
from studio.serve import BASE, TUNED, Server, ensure, run_params, served_settings
from studio.spec import load
from studio.store import Workspace
from studio.train import Run, find_run

MAKING, ASKING, ASKING_A_RUN = "studio.queries.make:main", "studio.queries.ask:main", "studio.build.queries:main"
"""Entries of the jobs."""


async def queries_stage(
    tell: Tell,
    session: Session,
    count: int,
    *,
    arm: Arm = "people",
    strict: bool = False,
    concurrency: int | None = None,
) -> ItemsFinished:
    """Make ``count`` queries of an arm; see :func:`studio.queries.make.make_queries`."""
    asked = queries_job(session, count, arm=arm, strict=strict, concurrency=concurrency)
    return await items_stage(tell, session, "queries", *asked)


def queries_job(
    session: Session, count: int, *, arm: Arm = "people", strict: bool = False, concurrency: int | None = None
) -> tuple[str, MakeParams]:
    """The entry of the job that makes queries, and what it is asked. Raises :class:`UserError` where the spec has
    nothing to make them of."""
    check_topics(session.loaded, arm)
    check_judge(session.settings)
    return MAKING, MakeParams(**_common(session, concurrency), count=count, arm=arm, strict=strict)


async def ask_stage(tell: Tell, /, session: Session, **asked: Any) -> ItemsFinished:
    """Ask a chatbot, or base and tuned of a run, as :func:`ask_job` has it."""
    entry, params = ask_job(session, **asked)
    return await items_stage(tell, session, "ask", entry, params, writes=params.turns > 1)


def ask_job(
    session: Session,
    *,
    chatbot: Chatbot | None = None,
    run_id: str = "",
    count: int = 200,
    name: str = "",
    system: str = "",
    turns: int = 1,
    max_tokens: int | None = None,
    concurrency: int | None = None,
) -> tuple[str, AskParams]:
    """The entry of the job that asks ``chatbot``, or base and tuned of ``run_id``, and what it is asked; see
    :func:`studio.queries.ask.ask_chatbots`.

    The model of the session plays the customer where there are several ``turns``. Raises :class:`UserError` where
    neither or both are named, and where the studio would have to serve two models at once.
    """
    ask.check_name(name)
    check_judge(session.settings)
    if (chatbot is None) == (not run_id):
        remedy = "name a server, --chatbot URL --chatbot-model NAME, or --run ID for base and tuned of a run"
        raise UserError("expected one chatbot to ask", where="ask", remedy=remedy)
    if run_id:
        if session.settings.author_local is not None:
            remedy = "name a server for who plays the customer and judges: --endpoint URL --model NAME"
            raise UserError("the studio serves one model at a time, and that is the run's", where="ask", remedy=remedy)
        run = find_run(session.workspace, run_id)
        run_params(run)
        run_id = run.plan.run_id
    params = AskParams(
        **_common(session, concurrency),
        count=count,
        name=name,
        chatbots=() if chatbot is None else (chatbot,),
        run_id=run_id,
        system=system,
        turns=turns,
        max_tokens=max_tokens or session.loaded.spec.deployment.max_tokens,
    )
    return ASKING_A_RUN if run_id else ASKING, params


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry where a run is asked: it holds the worker that serves base and tuned until its own end."""
    asked = AskParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    workspace = Workspace.open(Path(asked.workspace), loaded.spec.slug)
    try:
        run = find_run(workspace, asked.run_id)
        server = await _served(workspace, run, context)
        if server is None:
            return
        with server:
            chatbots = tuple(
                Chatbot(side=side, name=asked.run_id, settings=served_settings(server.ready, side))
                for side in (BASE, TUNED)
            )
            served = asked.model_copy(update={"chatbots": chatbots})
            await ask.main(served.model_dump(mode="json"), context)
    finally:
        workspace.close()


async def _served(workspace: Workspace, run: Run, context: JobContext) -> Server | None:
    """Both sides of the run, ready to be asked; None where a stop was asked for while they were loaded."""
    loading = asyncio.ensure_future(ensure(workspace.jobs_dir, run_params(run)))
    context.on_stop(loading.cancel)
    try:
        return await loading
    except asyncio.CancelledError:
        if context.stop_requested:
            return None
        raise


def _common(session: Session, concurrency: int | None) -> dict[str, Any]:
    return {
        "spec_path": str(session.loaded.path),
        "workspace": str(session.root),
        "settings": session.settings,
        "seed": session.seed,
        "concurrency": concurrency,
    }
