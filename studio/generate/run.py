"""Generating: what is missing is written, judged and stored, many at once, until every category has its target."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from studio.bank import people_source
from studio.chatml import last_request
from studio.errors import UserError, disk_error
from studio.generate.again import Again, after
from studio.generate.author import Author, example_of, open_author
from studio.generate.collapse import CollapseMeter, OpeningsWorn, Worn, avoid_text, recent
from studio.generate.plan import Attempt, Attempts, Ledger, next_attempts, open_scenarios
from studio.generate.progress import Failures, Meter, ending, named
from studio.generate.screening import Screening, fitted, judged_again, rejection, stale_ids
from studio.generate.shots import AcceptedShots
from studio.generate.spending import SpendingMeter
from studio.generate.submissions import away
from studio.generate.types import (
    ExampleScored,
    GenerateEvent,
    GenerateFinished,
    GenerateParams,
    GenerateProgressed,
    GenerateStarted,
)
from studio.judge import Judge, open_judge
from studio.judge.bias import family_warning
from studio.judge.canaries import CanariesJudged, JudgedCanary, alarms, canary_text, judge_canaries, keep_canaries
from studio.llm import ModelError, check_budget, drain, learned_at, waiting
from studio.llm.concurrency import Chains, Concurrency
from studio.spec import LoadedSpec
from studio.store import Example, Judgement, Row, Workspace

Stop = Callable[[], bool]
Outcome = Literal["accepted", "rejected", "pending"]
OUTCOMES: dict[str, Outcome] = {"passed": "accepted", "failed": "rejected", "unscored": "pending", "error": "pending"}


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


@dataclass(frozen=True)
class _Written:
    """What became of an attempt: an example and its judgement, or the error for which one of them is not there."""

    attempt: Attempt
    example: Example | None = None
    judgement: Judgement | None = None
    error: ModelError | None = None
    stored: bool = False
    """Whether the example is in the store already, since it was written before, and could not be judged."""


@dataclass(frozen=True)
class _Judged:
    row: Row
    judgement: Judgement
    error: ModelError | None


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
        self._loaded, self._workspace, self._store = loaded, workspace, workspace.examples
        self._params, self._author, self._judge = params, author, judge
        self._job_id, self._spending = job_id, SpendingMeter(self._store, params.settings.max_cost_usd)
        self._meter, self._failures, self._stop = Meter(), Failures(), stop
        self._desk = asyncio.Lock()
        self._again = Again[_Written]()
        self._collapse, self._worn = CollapseMeter(loaded.spec.vocabulary.prefer), Worn(workspace)
        self._news: OpeningsWorn | None = None
        """What is worn, where that changed and was not told yet."""
        self._chains = Chains(concurrency, self._ends, cancel=cancel, on_stop=drain)
        self._canaries: tuple[JudgedCanary, ...] = ()
        self._attempts = self._planned(author) if author is not None else None
        self._ledger = self._counted()

    @property
    def missing(self) -> int:
        """Accepted examples still wanted, beyond those that wait for a person."""
        return self._ledger.missing

    def _ends(self) -> bool:
        return self._stop() or self._failures.fatal is not None

    async def events(self) -> AsyncGenerator[GenerateEvent, None]:
        yield GenerateStarted(
            author=self._author.name if self._author is not None else "nobody",
            judge=self._judge.name,
            targets=self._ledger.targets(),
            note="; ".join(filter(None, [self._unrecorded(), self._one_family()])),
        )

        trying = asyncio.ensure_future(self._tried())
        try:
            async with aclosing(self._work()) as events:
                async for event in events:
                    yield event
            if not self._ends() and (canaries := await trying):
                self._canaries = canaries
                keep_canaries(self._workspace.documents, self._loaded, self._judge, canaries)
                yield CanariesJudged(canaries=canaries)
        finally:
            trying.cancel()
            await asyncio.gather(trying, return_exceptions=True)
        yield self._finished(stopped=self._stop())
        if not self._stop() and self._failures.fatal is not None:
            raise self._failures.fatal

    def _unrecorded(self) -> str:
        return f"nothing is recorded of {named(empty)}" if (empty := self._ledger.empty) else ""

    def _one_family(self) -> str:
        return family_warning(self._author.name, self._judge.name) if self._author is not None else ""

    async def _tried(self) -> tuple[JudgedCanary, ...]:
        """The judge on replies that deserve next to nothing, beside those that it judges."""
        spec = self._loaded.spec
        requests = [last_request(one.turns) for one in spec.examples] or [name for _, name in open_scenarios(spec)]
        number = self._ledger.missing if self._params.preview is None and self._author is not None else 0
        return await judge_canaries(self._loaded, self._judge, requests, number)

    async def _work(self) -> AsyncGenerator[GenerateEvent, None]:
        preview = self._params.preview
        stale = self._stale() if preview is None else ()
        if not stale and (self._author is None or not self._ledger.wants):
            return
        screening = Screening(self._store, self._loaded.spec)
        async with aclosing(self._judge_stale(stale, screening)) as events:
            async for event in events:
                yield event
        self._ledger, met = self._counted(), True
        if self._author is None or self._attempts is None:
            return
        await asyncio.to_thread(lambda: self._collapse.fill(recent(self._workspace)))
        if preview is not None:
            first = iter(next_attempts(self._ledger, self._attempts, preview))
            async with aclosing(self._write(self._author, screening, lambda: next(first, None))) as events:
                async for event in events:
                    yield event
            return
        while met and self._ledger.wants and not self._ends():
            async with aclosing(self._write(self._author, screening, self._next)) as events:
                async for event in events:
                    yield event
            met = self._ledger.missing == 0
            self._ledger = self._counted()  # people decide meanwhile: what they rejected is missing again

    def _planned(self, author: Author) -> Attempts:
        known = {name for _, name in self._store.ids()}
        return author.attempts(
            lambda: people_source(self._loaded, self._store.people()), self._params.seed, known=known
        )

    # --- judging again

    async def _judge_stale(self, stale: Sequence[str], screening: Screening) -> AsyncGenerator[GenerateEvent, None]:
        ids, again = iter(stale), Again[Row]()

        def take() -> Coroutine[Any, Any, _Judged] | None:
            row = again.ready() or next((row for one in ids if (row := self._store.row(one)) is not None), None)
            if row is not None:
                return self._judged_again(row, screening)
            if self._chains.under_way or (last := again.last()) is None:
                return None
            return after(last[1], self._ends, partial(self._judged_again, last[0], screening))

        async with aclosing(self._chains.results(take)) as results:
            async for judged in results:
                step = partial(self._landed_again, judged, again) if judged is not None else self._stands
                for event in self._kept(step):
                    yield event

    def _landed_again(self, judged: _Judged, again: Again[Row]) -> list[GenerateEvent]:
        self._store.add_judgement(judged.row.example.id, judged.judgement)
        if judged.judgement.verdict != "error":
            again.answered()
        else:
            again.failed(judged.row.example.id, judged.row, judged.error)
        failed = self._failures.judged(judged.judgement, judged.error, judged.row.example.scenario)
        return [] if failed is None else [failed]

    def _stands(self) -> list[GenerateEvent]:
        """How it stands while there is judging again, counted anew each time; nothing while it is not due."""
        if not self._due():
            return []
        self._ledger = self._counted()
        return [self._progress()]

    def _stale(self) -> list[str]:
        return stale_ids(self._loaded, self._store, self._judge, check_fit=self._params.check_fit)

    async def _judged_again(self, row: Row, screening: Screening) -> _Judged:
        person = self._store.person(row.example.person_id) if self._params.check_fit else None
        judgement = await judged_again(row, self._judge, self._loaded, screening, person)
        return _Judged(row, judgement, self._judge.last_error)

    # --- writing

    def _next(self) -> Attempt | None:
        wanted = self._ledger.next()
        return self._attempts.next(*wanted) if self._attempts is not None and wanted is not None else None

    async def _write(
        self, author: Author, screening: Screening, following: Callable[[], Attempt | None]
    ) -> AsyncGenerator[GenerateEvent, None]:
        def take() -> Coroutine[Any, Any, _Written] | None:
            if (failed := self._again.ready()) is not None:
                return self._tried_again(author, failed, screening)
            if (attempt := following()) is not None:
                return self._written(author, attempt, screening)
            if self._chains.under_way or (last := self._again.last()) is None:
                return None
            return after(last[1], self._ends, partial(self._tried_again, author, last[0], screening))

        async with aclosing(self._chains.results(take)) as results:
            async for written in results:
                for event in self._kept(partial(self._landed, written) if written is not None else self._progressed):
                    yield event
        for left in self._again.leave():
            self._ledger.landed(left.attempt.category, left.attempt.scenario, "pending" if left.example else "none")

    def _kept(self, step: Callable[[], list[GenerateEvent]]) -> list[GenerateEvent]:
        """What ``step`` tells. Where the store fails it, what is under way comes back before the run does."""
        try:
            return step()
        except OSError as error:
            self._chains.fail(disk_error(error, self._workspace.folder))
        except Exception as error:
            self._chains.fail(error)
        return []

    async def _written(self, author: Author, attempt: Attempt, screening: Screening) -> _Written:
        """One chain: the author's answer, and its judgement as soon as it is there."""
        if (avoid := avoid_text(self._worn.begin(attempt.example_id))) and not attempt.messages:
            attempt = replace(attempt, more=(avoid,))
        try:
            draft = await author.write(attempt)
        except ModelError as error:
            return _Written(attempt, error=error)
        async with self._desk:  # milliseconds each: between two of them the loop puts other answers on record
            await asyncio.sleep(0)
            found = screening.screen(attempt.example_id, draft.messages)
            if not attempt.messages:  # of a recording nothing can be written otherwise
                self._news = await asyncio.to_thread(self._collapse.add, draft.messages) or self._news
        example = example_of(self._loaded, attempt, draft, author.name, found, self._job_id)
        if found.reason is not None:
            return _Written(attempt, example, rejection(self._loaded, draft.messages, found))
        if self._chains.failure is not None:  # nobody could keep a judgement; the draft is on record
            return _Written(attempt, error=ModelError("stopped", "not judged: the store is lost"))
        judgement = await self._judge.score(draft.messages, attempt.scenario)
        if self._params.check_fit:
            judgement = await fitted(self._judge, judgement, draft.messages, attempt.person)
        failed = self._judge.last_error
        screening.judged(attempt.example_id, judgement)
        return _Written(attempt, example, judgement, failed)

    async def _tried_again(self, author: Author, failed: _Written, screening: Screening) -> _Written:
        """What an earlier try had come to is there: only what the server failed is asked of it again."""
        row = self._store.row(failed.attempt.example_id) if failed.example is not None else None
        if row is None:
            return await self._written(author, failed.attempt, screening)
        judged = await self._judged_again(row, screening)
        return _Written(failed.attempt, row.example, judged.judgement, judged.error, stored=True)

    def _landed(self, written: _Written) -> list[GenerateEvent]:
        """Store what was written, and tell of it. What the server failed is under way as long as it is set aside."""
        attempt = written.attempt
        if written.example is None or written.judgement is None:
            if not self._again.failed(attempt.example_id, written, written.error):
                self._ledger.landed(attempt.category, attempt.scenario, "none")
            failed = self._failures.wrote_nothing(written.error, attempt.scenario) if written.error else None
            return [failed] if failed is not None else []
        if written.stored:
            self._store.add_judgement(attempt.example_id, written.judgement)
        else:
            self._store.add_person(attempt.person)
            self._store.add_example(written.example, written.judgement)
            self._worn.end(attempt.example_id)
        outcome = OUTCOMES[written.judgement.verdict]
        if written.judgement.verdict != "error":
            self._again.answered()
        if written.judgement.verdict != "error" or not self._again.failed(attempt.example_id, written, written.error):
            self._ledger.landed(attempt.category, attempt.scenario, outcome)
        self._meter.landed(outcome == "accepted")
        self._spending.landed(outcome == "accepted")
        scored = ExampleScored(
            example_id=attempt.example_id,
            category=attempt.category,
            scenario=attempt.scenario,
            verdict=written.judgement.verdict,
            accepted=outcome == "accepted",
            total=written.judgement.total,
            reasons=written.judgement.reasons,
        )
        failed = self._failures.judged(written.judgement, written.error, attempt.scenario)
        return [scored, *([failed] if failed is not None else []), *self._worn_now()]

    def _worn_now(self) -> list[GenerateEvent]:
        """What is worn, once it has changed: kept first, so that attempts under way are asked the same after a kill."""
        if self._news is None:
            return []
        news, self._news = self._news, None
        self._worn.change(news.openings)
        return [news]

    # --- telling

    def _progressed(self) -> list[GenerateEvent]:
        return [self._progress()] if self._due() else []

    def _due(self) -> bool:
        return self._meter.due(held_up=waiting() is not None or self._chains.stopping)

    def _counted(self) -> Ledger:
        return Ledger(
            self._loaded,
            self._workspace,
            self._params.examples,
            max_attempts=self._params.max_attempts,
            left=self._attempts.left() if self._attempts is not None else None,
            judged=self._judge.kind == "model",
        )

    def _progress(self) -> GenerateProgressed:
        targets = self._ledger.targets()
        accepted, rejected = sum(one.accepted for one in targets), sum(one.rejected for one in targets)
        spending = self._spending.read(accepted, self._ledger.missing)
        return GenerateProgressed(
            targets=targets,
            generated=accepted + rejected + sum(one.pending for one in targets),
            accepted=accepted,
            rejected=rejected,
            errors=self._failures.count,
            rate=self._meter.rate(),
            eta_s=self._meter.eta_s(self._ledger.missing),
            cost_usd=spending.cost_usd,
            reasons=self._store.reasons(),
            under_way=self._chains.under_way,
            at_once=self._chains.limit,
            stopping=self._chains.stopping,
            waiting=waiting(),
            spending=spending,
            worn=self._collapse.told.line,
        )

    def _finished(self, stopped: bool) -> GenerateFinished:
        now = self._progress()
        recorded = self._attempts is not None and self._attempts.left() is not None
        author = self._author.name if self._author is not None else None
        note = ending(self._ledger, now.reasons, self._failures, author=author, recorded=recorded, stopped=stopped)
        caught = canary_text(self._canaries) if alarms(self._canaries) else ""
        return GenerateFinished(
            complete=not self._ledger.short() and not self._ledger.wants,
            targets=now.targets,
            generated=now.generated,
            accepted=now.accepted,
            rejected=now.rejected,
            errors=now.errors,
            seconds=self._meter.seconds,
            cost_usd=now.cost_usd,
            spending=now.spending,
            canaries=self._canaries,
            note="; ".join(filter(None, [note, caught])),
        )
