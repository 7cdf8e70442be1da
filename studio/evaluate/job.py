"""Evaluating as a job: serves the run, scores it, keeps the report."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate.ask import Sides
from studio.evaluate.evaluate import Evaluator
from studio.evaluate.fingerprint import Cache, fingerprint, is_trial, replies_fingerprint
from studio.evaluate.looks import looked
from studio.evaluate.probes import probes
from studio.evaluate.report import labels_of, save
from studio.evaluate.types import Asked, ProbeResult, Reply
from studio.jobs import JobContext
from studio.judge import judge_agreement, open_judge
from studio.llm import ModelSettings, check_budget, learned_at
from studio.serve import BASE, TUNED, Server, ensure, open_model, run_params
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.train import find_run
from studio.train.types import Run


class EvaluateParams(Frozen):
    """``workspace`` is the root folder that holds a folder a persona."""

    spec_path: str
    workspace: str
    run_id: str
    settings: ModelSettings
    locked: bool = True
    """Whether the locked probes are opened too, for a verdict."""


def asked_sides(loaded: LoadedSpec, run: Run) -> tuple[Asked, ...]:
    """Base, tuned, and the base with the persona as its prompt: not the last in a trial on a stand-in that no gate
    compares with it, where each such prompt is a thousand tokens on what may be a CPU."""
    deployment, gated = loaded.spec.deployment, loaded.spec.success.beats_prompt is not None
    if gated or not is_trial(run.plan.base_model, deployment.base_model):
        return ("tuned", "base", "prompted")
    return ("tuned", "base")


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job."""
    asked = EvaluateParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    asked_probes = probes(loaded)
    if not asked_probes:
        remedy = "add a category with 'holdout: true' whose items are user messages"
        raise UserError("the spec has no held-out probes to evaluate with", where=asked.spec_path, remedy=remedy)
    async with AsyncExitStack() as closing:
        root = Path(asked.workspace)
        workspace = Workspace.open(root, loaded.spec.slug, gives_up=lambda: context.cancel_requested)
        closing.callback(workspace.close)
        run = find_run(workspace, asked.run_id)
        await check_budget(asked.settings, author=False)
        await closing.enter_async_context(learned_at(workspace.folder))
        judge = open_judge(asked.settings, loaded, workspace.examples)
        closing.push_async_callback(judge.close)
        folder = workspace.runs_dir / run.plan.run_id / "probes"
        replies = Cache(folder / f"replies-{replies_fingerprint(loaded, run)[:16]}.jsonl", Reply)
        mark = fingerprint(loaded, run, judge)
        results = Cache(folder / f"{mark[:16]}.jsonl", ProbeResult)
        if (server := await _served(workspace, run, context)) is None:
            return
        closing.callback(server.close)
        base, tuned = open_model(server.ready, BASE), open_model(server.ready, TUNED)
        closing.push_async_callback(tuned.close)
        closing.push_async_callback(base.close)
        agreement = await judge_agreement(loaded, judge)
        look = looked(workspace, asked_probes, run.plan.run_id, mark, locked=asked.locked)
        sides = Sides(loaded.spec, base, tuned, replies)
        evaluator = Evaluator(loaded, run, judge, sides, results, agreement, look, asked_sides(loaded, run))
        async for event in evaluator.events(lambda: context.stop_requested, labels_of(workspace, run.plan.run_id)):
            if evaluator.evaluation:
                save(workspace, evaluator.evaluation)
            context.emit(event)


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
