"""Generating: what is missing is written, judged and stored, many at once, until every category has its target."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from studio.bank import people_source
from studio.chatml import last_request
from studio.errors import UserError, disk_error
from studio.generate.author import Author, open_author
from studio.generate.collapse import CollapseMonitor
from studio.generate.ledger import Ledger, next_attempts
from studio.generate.plan import Attempt, Attempts, open_scenarios
from studio.generate.progress import Failures
from studio.generate.rejudge import Rejudge, Rejudged, stale_ids
from studio.generate.screening import Screening
from studio.generate.shots import AcceptedShots
from studio.generate.submissions import away
from studio.generate.telling import Telling, named
from studio.generate.types import ExampleScored, GenerateEvent, GenerateParams, GenerateStarted
from studio.generate.writing import Writing, Written
from studio.judge import Judge, open_judge
from studio.judge.bias import family_warning
from studio.judge.canaries import CanaryTrial
from studio.llm import check_budget, drain, learned_at
from studio.llm.concurrency import Chains, Concurrency
from studio.spec import LoadedSpec
from studio.store import Workspace

Stop = Callable[[], bool]


async def generate(
    loaded: LoadedSpec,
    workspace: Workspace,
    params: GenerateParams,
    stop: Stop,
    *,
    author: Author | None = None,
    judge: Judge | None = None,
    cancel: Stop = lambda: False,
    concurrency: Callable[[], int] | None = None,
    job_id: str = "",
) -> AsyncGenerator[GenerateEvent, None]:
    """Write examples of ``loaded`` into ``workspace`` until each category has its target, and tell of each.

    It goes on from what the store holds: what was judged by another version of the spec or of the judge, or before it
    was edited, is judged again first, and only what is missing is written. A recording is played to its end, unless
    fewer examples are asked for than the spec wants. An event comes after its example is safe. ``author`` and
    ``judge`` stand in for those of ``params.settings``, ``concurrency`` for what it says of chains at once. After
    ``stop`` nothing new begins, and what is under way comes back within its deadline, or until ``cancel``. The last
    event is GenerateFinished; after it ModelError is raised where models failed for good, and UserError where examples
    are missing and nobody is there to write them; before anything else where a budget is set and a price is not known.
    Where the store is lost UserError is raised once what is under way has come back, and what can be written is.
    """
    log = workspace.examples
    if batches := away(workspace):  # the same requests would be paid for twice
        told = f"{batches[0].requests} requests to {batches[0].model} are answered in a batch"
        raise UserError(told, where="generate", remedy="studio generate --batch collects it, --batch-cancel ends it")
    await check_budget(params.settings, author=author is None)
    nobody: UserError | None = None
    own_author = author
    if own_author is None:
        try:
            own_author = open_author(params.settings, loaded, log, AcceptedShots(loaded, workspace))
        except UserError as error:
            if not params.settings.author_offline or loaded.recorded_path is not None:
                raise
            nobody = error  # what is there already may still be judged
    own_judge = judge or open_judge(params.settings, loaded, log)
    at_once = concurrency or Concurrency(params.concurrency)
    await asyncio.to_thread(importlib.import_module, "datasketch")  # brings scipy, a second: off the loop
    generation = Generation(loaded, workspace, params, own_author, own_judge, job_id, at_once, stop, cancel)
    try:
        drain(False)
        async with learned_at(workspace.folder), aclosing(generation.events()) as events:
            async for event in events:
                yield event
        if nobody is not None and generation.missing > 0 and not stop():
            raise nobody
    finally:
        if author is None and own_author is not None:
            await own_author.close()
        if judge is None:
            await own_judge.close()


class Generation:
    """One run of generating. Use :func:`generate`."""

    def __init__(
        self,
        loaded: LoadedSpec,
        workspace: Workspace,
        params: GenerateParams,
        author: Author | None,
        judge: Judge,
        job_id: str,
        concurrency: Callable[[], int],
        stop: Stop,
        cancel: Stop,
    ) -> None:
        self._loaded, self._workspace, self._params = loaded, workspace, params
        self._author, self._judge, self._job_id, self._stop = author, judge, job_id, stop
        self._failures = Failures()
        self._chains = Chains(concurrency, self._ends, cancel=cancel, on_stop=drain)
        self._collapse = CollapseMonitor(loaded.spec.vocabulary.prefer, workspace)
        limit_usd = params.settings.max_cost_usd
        self._telling = Telling(workspace.examples, self._chains, self._failures, self._collapse, limit_usd)
        self._attempts = self._planned(author) if author is not None else None
        self._ledger = self._counted()

    @property
    def missing(self) -> int:
        """Accepted examples still wanted, beyond those that wait for a person."""
        return self._ledger.missing

    async def events(self) -> AsyncGenerator[GenerateEvent, None]:
        """All that the run tells, as :func:`generate`."""
        name = self._author.name if self._author is not None else None
        unrecorded = f"nothing is recorded of {named(empty)}" if (empty := self._ledger.empty) else ""
        one_family = family_warning(name, self._judge.name) if name is not None else ""
        yield GenerateStarted(
            author=name if name is not None else "nobody",
            judge=self._judge.name,
            targets=self._ledger.targets(),
            note="; ".join(filter(None, [unrecorded, one_family])),
        )
        async with self._trial() as trial, aclosing(self._work()) as events:
            async for event in events:
                yield event
            if not self._ends() and (canaries := await trial.result(self._workspace.documents)) is not None:
                yield canaries
        recorded = self._attempts is not None and self._attempts.left() is not None
        yield self._telling.finished(self._ledger, trial.judged, author=name, recorded=recorded, stopped=self._stop())
        if not self._stop() and self._failures.fatal is not None:
            raise self._failures.fatal

    def _ends(self) -> bool:
        return self._stop() or self._failures.fatal is not None

    def _trial(self) -> CanaryTrial:
        """The judge on replies that deserve next to nothing, beside those that it judges."""
        spec = self._loaded.spec
        requests = [last_request(one.turns) for one in spec.examples] or [name for _, name in open_scenarios(spec)]
        number = self._ledger.missing if self._params.preview is None and self._author is not None else 0
        return CanaryTrial(self._loaded, self._judge, requests, number)

    def _planned(self, author: Author) -> Attempts:
        store = self._workspace.examples
        known = {name for _, name in store.ids()}
        return author.attempts(lambda: people_source(self._loaded, store.people()), self._params.seed, known=known)

    def _counted(self) -> Ledger:
        return Ledger(
            self._loaded,
            self._workspace,
            self._params.examples,
            max_attempts=self._params.max_attempts,
            left=self._attempts.left() if self._attempts is not None else None,
            judged=self._judge.kind == "model",
        )

    async def _work(self) -> AsyncGenerator[GenerateEvent, None]:
        store, preview, check_fit = self._workspace.examples, self._params.preview, self._params.check_fit
        stale = stale_ids(self._loaded, store, self._judge, check_fit=check_fit) if preview is None else []
        if not stale and (self._author is None or not self._ledger.wants):
            return
        screening = Screening(store, self._loaded.spec)
        rejudge = Rejudge(self._loaded, store, self._judge, screening, check_fit=check_fit)
        async with aclosing(self._judge_stale(stale, rejudge)) as events:
            async for event in events:
                yield event
        self._ledger, met = self._counted(), True
        if self._author is None or self._attempts is None:
            return
        await self._collapse.fill()
        writing = Writing(
            self._loaded,
            store,
            self._params,
            self._author,
            self._judge,
            screening=screening,
            rejudge=rejudge,
            collapse=self._collapse,
            lost=lambda: self._chains.failure is not None,
            job_id=self._job_id,
        )
        if preview is not None:
            first = iter(next_attempts(self._ledger, self._attempts, preview))
            async with aclosing(self._write(writing, lambda: next(first, None))) as events:
                async for event in events:
                    yield event
            return
        while met and self._ledger.wants and not self._ends():
            async with aclosing(self._write(writing, self._next)) as events:
                async for event in events:
                    yield event
            met = self._ledger.missing == 0
            self._ledger = self._counted()  # people decide meanwhile: what they rejected is missing again

    def _next(self) -> Attempt | None:
        wanted = self._ledger.next()
        return self._attempts.next(*wanted) if self._attempts is not None and wanted is not None else None

    # --- judging again

    async def _judge_stale(self, stale: Sequence[str], rejudge: Rejudge) -> AsyncGenerator[GenerateEvent, None]:
        rows = rejudge.rows(stale)

        def take() -> Coroutine[Any, Any, Rejudged] | None:
            return rejudge.take(rows, self._chains.under_way, self._ends)

        async with aclosing(self._chains.results(take)) as results:
            async for judged in results:
                step = partial(self._rejudged, rejudge, judged) if judged is not None else self._recounted
                for event in self._kept(step):
                    yield event

    def _rejudged(self, rejudge: Rejudge, judged: Rejudged) -> list[GenerateEvent]:
        rejudge.landed(judged)
        failed = self._failures.judged(judged.judgement, judged.error, judged.row.example.scenario)
        return [] if failed is None else [failed]

    def _recounted(self) -> list[GenerateEvent]:
        """How it stands while there is judging again, counted anew each time; nothing while it is not due."""
        if not self._telling.due():
            return []
        self._ledger = self._counted()
        return [self._telling.progressed(self._ledger)]

    # --- writing

    async def _write(
        self, writing: Writing, following: Callable[[], Attempt | None]
    ) -> AsyncGenerator[GenerateEvent, None]:
        def take() -> Coroutine[Any, Any, Written] | None:
            return writing.take(following, self._chains.under_way, self._ends)

        async with aclosing(self._chains.results(take)) as results:
            async for written in results:
                step = partial(self._written, writing, written) if written is not None else self._progressed
                for event in self._kept(step):
                    yield event
        for attempt, outcome in writing.leave():
            self._ledger.landed(attempt.category, attempt.scenario, outcome)

    def _written(self, writing: Writing, written: Written) -> list[GenerateEvent]:
        """Store what was written, and tell of it. What the server failed is under way as long as it is set aside."""
        attempt, judgement = written.attempt, written.judgement
        if (outcome := writing.landed(written)) is not None:
            self._ledger.landed(attempt.category, attempt.scenario, outcome)
        if judgement is None:
            failed = self._failures.wrote_nothing(written.error, attempt.scenario) if written.error else None
            return [failed] if failed is not None else []
        accepted = outcome == "accepted"
        self._telling.landed(accepted)
        scored = ExampleScored(
            example_id=attempt.example_id,
            category=attempt.category,
            scenario=attempt.scenario,
            verdict=judgement.verdict,
            accepted=accepted,
            total=judgement.total,
            reasons=judgement.reasons,
        )
        failed = self._failures.judged(judgement, written.error, attempt.scenario)
        return [scored, *([failed] if failed is not None else []), *self._collapse.changed()]

    def _progressed(self) -> list[GenerateEvent]:
        return [self._telling.progressed(self._ledger)] if self._telling.due() else []

    def _kept(self, step: Callable[[], list[GenerateEvent]]) -> list[GenerateEvent]:
        """What ``step`` tells. Where the store fails it, what is under way comes back before the run does."""
        try:
            return step()
        except OSError as error:
            self._chains.fail(disk_error(error, self._workspace.folder))
        except Exception as error:
            self._chains.fail(error)
        return []
