"""Generating: what is missing is written, judged and stored, many at once, until every category has its target."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from studio.bank import people_source
from studio.generate.attempts import Attempt, Attempts
from studio.generate.author import author_request, open_author
from studio.generate.balance import Ledger
from studio.generate.call_log import StoreCallLog
from studio.generate.endings import Failures, ending
from studio.generate.meter import Meter
from studio.generate.pool import at_once
from studio.generate.schema import Authored
from studio.generate.seen import Seen, rejection
from studio.generate.stale import judged_again, stale_ids
from studio.generate.types import (
    CallFailed,
    ExampleScored,
    GenerateEvent,
    GenerateFinished,
    GenerateParams,
    GenerateProgressed,
    GenerateStarted,
)
from studio.judge import Judge, open_judge
from studio.llm import ChatModel, ModelError
from studio.spec import LoadedSpec
from studio.store import Example, Judgement, Row, Workspace

Stop = Callable[[], bool]
Outcome = Literal["accepted", "rejected", "pending"]
_OUTCOMES: dict[str, Outcome] = {"passed": "accepted", "failed": "rejected", "unscored": "pending", "error": "pending"}


async def generate(
    loaded: LoadedSpec,
    workspace: Workspace,
    params: GenerateParams,
    stop: Stop,
    *,
    author: ChatModel | None = None,
    judge: Judge | None = None,
    job_id: str = "",
) -> AsyncGenerator[GenerateEvent, None]:
    """Write examples of ``loaded`` into ``workspace`` until each category has its target, and tell of each.

    It goes on from what the store holds: what was judged by another version of the spec or of the judge, or before it
    was edited, is judged again first, and only what is missing is written. An event comes after its example is safe.
    ``author`` and ``judge`` stand in for those of ``params.settings``. The last event is GenerateFinished; after it
    ModelError is raised where models failed for good or the spec gives the offline author too little.
    """
    log = StoreCallLog(workspace.examples)
    own_author = author or open_author(params.settings, loaded, log)
    own_judge = judge or open_judge(params.settings, loaded, log)
    generation = Generation(loaded, workspace, params, own_author, own_judge, log, job_id)
    try:
        async with aclosing(generation.events(stop)) as events:
            async for event in events:
                yield event
    finally:
        if author is None:
            await own_author.close()
        if judge is None:
            await own_judge.close()


@dataclass(frozen=True)
class _Written:
    """What became of an attempt: an example and its judgement, or the error that there is none."""

    attempt: Attempt
    example: Example | None = None
    judgement: Judgement | None = None
    error: ModelError | None = None


class Generation:
    """One run of generating. Use :func:`generate`."""

    def __init__(
        self,
        loaded: LoadedSpec,
        workspace: Workspace,
        params: GenerateParams,
        author: ChatModel,
        judge: Judge,
        log: StoreCallLog,
        job_id: str,
    ) -> None:
        self._loaded, self._workspace, self._store = loaded, workspace, workspace.examples
        self._params, self._author, self._judge = params, author, judge
        self._log, self._job_id = log, job_id
        self._meter, self._failures = Meter(), Failures()
        self._ledger = self._counted()

    async def events(self, stop: Stop) -> AsyncGenerator[GenerateEvent, None]:
        yield GenerateStarted(
            author=self._author.name,
            judge=self._judge.name,
            targets=self._ledger.targets(),
        )

        def ends() -> bool:
            return stop() or self._failures.fatal is not None

        async with aclosing(self._work(ends)) as events:
            async for event in events:
                yield event
        yield self._finished(stopped=stop())
        if not stop() and (error := self._failures.fatal or self._failures.too_little) is not None:
            raise error

    async def _work(self, ends: Stop) -> AsyncGenerator[GenerateEvent, None]:
        stale = stale_ids(self._loaded, self._store, self._judge)
        if not stale and self._ledger.missing == 0:
            return
        seen = Seen(self._store, self._loaded.spec)
        async with aclosing(self._judge_stale(stale, seen, ends)) as events:
            async for event in events:
                yield event
        self._ledger, met = self._counted(), True
        attempts = Attempts(people_source(self._loaded, self._store.people()), self._params.seed, known=seen)
        while met and self._ledger.missing > 0 and not ends():
            async with aclosing(self._write_missing(attempts, seen, ends)) as events:
                async for event in events:
                    yield event
            met = self._ledger.missing == 0
            self._ledger = self._counted()  # people decide meanwhile: what they rejected is missing again

    # --- judging again

    async def _judge_stale(self, stale: Sequence[str], seen: Seen, ends: Stop) -> AsyncGenerator[GenerateEvent, None]:
        ids = iter(stale)

        def take() -> Coroutine[Any, Any, tuple[Row, Judgement]] | None:
            row = next((row for one in ids if (row := self._store.row(one)) is not None), None)
            return self._judged_again(row, seen) if row is not None else None

        async with aclosing(at_once(take, self._params.concurrency, ends)) as results:
            async for judged in results:
                if judged is not None:
                    row, judgement = judged
                    self._store.add_judgement(row.example.id, judgement)
                    if (failed := self._failures.judged(judgement, row.example.scenario)) is not None:
                        yield failed
                elif self._meter.due():
                    self._ledger = self._counted()
                    yield self._progress()

    async def _judged_again(self, row: Row, seen: Seen) -> tuple[Row, Judgement]:
        return row, await judged_again(row, self._judge, self._loaded, seen)

    # --- writing

    async def _write_missing(self, attempts: Attempts, seen: Seen, ends: Stop) -> AsyncGenerator[GenerateEvent, None]:
        def take() -> Coroutine[Any, Any, _Written] | None:
            wanted = self._ledger.next()
            return self._written(attempts.next(*wanted), seen) if wanted is not None else None

        async with aclosing(at_once(take, self._params.concurrency, ends)) as results:
            async for written in results:
                if written is not None:
                    for event in self._landed(written):
                        yield event
                elif self._meter.due():
                    yield self._progress()

    async def _written(self, attempt: Attempt, seen: Seen) -> _Written:
        """One chain: the author's answer, and its judgement as soon as it is there."""
        request = author_request(self._loaded, attempt.category, attempt.scenario, attempt.person, attempt.seed)
        try:
            answer = await self._author.structured(request, Authored)
        except ModelError as error:
            return _Written(attempt, error=error)
        messages = answer.value.turns
        met = seen.meet(attempt.example_id, messages)
        example = Example(
            id=attempt.example_id,
            spec_hash=self._loaded.hash,
            category=attempt.category,
            scenario=attempt.scenario,
            person_id=attempt.person.id,
            messages=messages,
            author=self._author.name,
            prompt=request.messages,
            seed=attempt.seed,
            job_id=self._job_id,
            neighbour=met.neighbour,
            created=datetime.now(UTC),
        )
        if met.reason is not None:
            return _Written(attempt, example, rejection(self._loaded, self._judge, messages, met))
        judgement = await self._judge.score(messages, attempt.scenario)
        seen.judged(attempt.example_id, judgement)
        return _Written(attempt, example, judgement)

    def _landed(self, written: _Written) -> list[GenerateEvent]:
        """Store what was written, and tell of it."""
        attempt = written.attempt
        if written.example is None or written.judgement is None:
            self._ledger.landed(attempt.category, attempt.scenario, "none")
            return [self._not_written(attempt, written.error)] if written.error is not None else []
        self._store.add_person(attempt.person)
        self._store.add_example(written.example, written.judgement)
        outcome = _OUTCOMES[written.judgement.verdict]
        self._ledger.landed(attempt.category, attempt.scenario, outcome)
        self._meter.landed(outcome == "accepted")
        scored = ExampleScored(
            example=written.example.model_copy(update={"prompt": ()}),
            person=attempt.person,
            judgement=written.judgement,
            accepted=outcome == "accepted",
        )
        failed = self._failures.judged(written.judgement, attempt.scenario)
        return [scored] if failed is None else [scored, failed]

    def _not_written(self, attempt: Attempt, error: ModelError) -> CallFailed:
        if error.kind == "too_little":
            self._ledger.close(attempt.category, attempt.scenario)
        return self._failures.wrote_nothing(error, attempt.scenario)

    # --- telling

    def _counted(self) -> Ledger:
        return Ledger(self._loaded, self._workspace, self._params.examples, max_attempts=self._params.max_attempts)

    def _progress(self) -> GenerateProgressed:
        targets = self._ledger.targets()
        accepted, rejected = sum(one.accepted for one in targets), sum(one.rejected for one in targets)
        return GenerateProgressed(
            targets=targets,
            generated=accepted + rejected + sum(one.pending for one in targets),
            accepted=accepted,
            rejected=rejected,
            errors=self._failures.count,
            rate=self._meter.rate(),
            eta_s=self._meter.eta_s(self._ledger.missing),
            cost_usd=self._log.cost_usd(),
            reasons=self._store.reasons(),
        )

    def _finished(self, stopped: bool) -> GenerateFinished:
        now = self._progress()
        short = self._ledger.short()
        return GenerateFinished(
            complete=not short,
            targets=now.targets,
            generated=now.generated,
            accepted=now.accepted,
            rejected=now.rejected,
            errors=now.errors,
            seconds=self._meter.seconds,
            cost_usd=now.cost_usd,
            note=ending(short, self._ledger.thin(), now.reasons, self._failures, stopped=stopped),
        )
