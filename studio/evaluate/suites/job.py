"""Suites as a job: serves the run, plays the suites, keeps a report of each."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

from pydantic import Field

from studio.chatml import Frozen
from studio.evaluate.fingerprint import Cache, replies_fingerprint
from studio.evaluate.job import _served
from studio.evaluate.report import evaluation_of, restated
from studio.evaluate.suites.ask import Player, Said
from studio.evaluate.suites.generated import generated
from studio.evaluate.suites.perplexity import measure, passages
from studio.evaluate.suites.report import conclude, save_suite
from studio.evaluate.suites.suite import Suite, load_suite, suite_for
from studio.evaluate.suites.types import (
    JUDGED,
    SIDES_OF,
    SUITES,
    Perplexity,
    SuiteFinished,
    SuiteName,
    SuiteProgressed,
    report_id,
)
from studio.jobs import JobContext
from studio.judge import Agreement, Judge, judge_agreement, open_judge
from studio.llm import ModelSettings, check_budget, learned_at
from studio.serve import BASE, TUNED, end_unused, open_model, run_params
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.store.records import Judgement
from studio.train import find_run
from studio.train.types import Run

GENERATED = 36
"""Capability items by rule: four of each form."""


class SuiteParams(Frozen):
    """``workspace`` is the root folder that holds a folder a persona; ``files`` are suites of the user's."""

    spec_path: str
    workspace: str
    run_id: str
    settings: ModelSettings
    suites: tuple[SuiteName, ...] = SUITES
    files: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0)
    generated: int = Field(default=GENERATED, ge=0)


def suites_of(loaded: LoadedSpec, asked: SuiteParams) -> tuple[Suite, ...]:
    """The suites that are asked for, in their order. Raises UserError that names file and line of a mistake."""
    named = [(Path(path).name, load_suite(Path(path))) for path in asked.files]
    wanted = [name for name in SUITES if name in {*asked.suites, *(file.suite for _, file in named)}]
    rules = generated(asked.seed, asked.generated)
    return tuple(suite_for(loaded, name, named, rules if name == "capability" else ()) for name in wanted)


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job."""
    asked = SuiteParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    suites = suites_of(loaded, asked)
    async with AsyncExitStack() as closing:
        opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
        closing.callback(opened.close)
        run = find_run(opened, asked.run_id)
        await check_budget(asked.settings, author=False)
        await closing.enter_async_context(learned_at(opened.folder))
        judge = open_judge(asked.settings, loaded, opened.examples)
        closing.push_async_callback(judge.close)
        work = _Work(loaded, opened, run, judge, asked.seed, context)
        await work.do(suites)


class _Work:
    """One run's suites: what is kept where, and in which order it is done."""

    def __init__(
        self, loaded: LoadedSpec, workspace: Workspace, run: Run, judge: Judge, seed: int, context: JobContext
    ) -> None:
        self._loaded, self._workspace, self._run, self._judge = loaded, workspace, run, judge
        self._seed, self._context = seed, context
        self._folder = workspace.runs_dir / run.plan.run_id / "suites"
        self._mark = replies_fingerprint(loaded, run)[:16]
        self._began = 0.0
        self._agreement: Agreement | None = None
        self._kept: set[SuiteName] = set()

    async def do(self, suites: tuple[Suite, ...]) -> None:
        """Replies first, while the worker serves; then, with its memory free, the perplexities."""
        self._began = time.monotonic()
        judged = any(suite.name in JUDGED for suite in suites)
        async with AsyncExitStack() as closing:
            if (server := await _served(self._workspace, self._run, self._context)) is None:
                return
            closing.callback(server.close)
            base, tuned = open_model(server.ready, BASE), open_model(server.ready, TUNED)
            closing.push_async_callback(tuned.close)
            closing.push_async_callback(base.close)
            if judged:
                total = sum(suite.turns * len(SIDES_OF[suite.name]) for suite in suites)
                note = "measuring the judge on people's labels"
                self._context.emit(SuiteProgressed(suite=suites[0].name, done=0, total=total, note=note))
                self._agreement = await judge_agreement(self._loaded, self._judge)
            player = Player(self._loaded, self._judge, base, tuned, self._said(), self._judged())
            async with aclosing(player.play(suites, lambda: self._context.stop_requested)) as events:
                async for event in events:
                    self._context.emit(event)
                    self._keep_played(player, suites)
        self._keep_played(player, suites)
        for suite in suites:
            if self._context.stop_requested:
                return
            if suite.name == "capability" and (perplexity := await self._perplexity(suite)) is not None:
                self._keep(player, suite, perplexity)
        if (evaluation := evaluation_of(self._workspace, self._run.plan.run_id)) is not None:
            restated(self._workspace, evaluation)

    def _keep_played(self, player: Player, suites: tuple[Suite, ...]) -> None:
        """The reports of those that were played to their end, each once; capability has its perplexity to wait for."""
        for suite in suites:
            if suite.name != "capability" and suite.name not in self._kept and player.replies(suite):
                self._keep(player, suite)

    def _keep(self, player: Player, suite: Suite, perplexity: Perplexity | None = None) -> None:
        replies, seconds = player.replies(suite), time.monotonic() - self._began
        report = conclude(
            self._loaded,
            self._run,
            suite,
            self._judge,
            replies,
            seed=self._seed,
            seconds=seconds,
            agreement=self._agreement,
            perplexity=perplexity,
        )
        save_suite(self._workspace, report, replies)
        self._kept.add(suite.name)
        id = report_id(report.run_id, suite.name)
        self._context.emit(SuiteFinished(suite=suite.name, report_id=id, seconds=seconds))

    def _said(self) -> Cache[Said]:
        return Cache(self._folder / f"replies-{self._mark}.jsonl", Said)

    def _judged(self) -> Cache[Judgement]:
        told = "\x1f".join([self._loaded.hash, self._judge.name, self._judge.version])
        return Cache(self._folder / f"judged-{hashlib.sha256(told.encode()).hexdigest()[:16]}.jsonl", Judgement)

    async def _perplexity(self, suite: Suite) -> Perplexity | None:
        """Of the passages, kept; None where a stop was asked for."""
        told = hashlib.sha256("\x1f".join([self._mark, *passages()]).encode()).hexdigest()[:16]
        kept = Cache(self._folder / f"perplexity-{told}.jsonl", Perplexity)
        if known := kept.load():
            return known[-1]
        turns = suite.turns * 2
        note = "perplexity of neutral text"
        self._context.emit(SuiteProgressed(suite=suite.name, done=turns, total=turns, note=note))
        await asyncio.to_thread(end_unused, self._workspace.jobs_dir)  # for its memory; whoever uses it keeps it
        working = asyncio.ensure_future(measure(run_params(self._run)))
        self._context.on_stop(working.cancel)
        try:
            found = await working
        except asyncio.CancelledError:
            if self._context.stop_requested:
                return None
            raise
        kept.add(found)
        return found
