"""Held-out probes through base and tuned, judged alone and against each other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime

from studio.errors import UserError
from studio.evaluate.cache import ResultCache
from studio.evaluate.gates import MIN_SAMPLES, gates
from studio.evaluate.metrics import by_category, side_metrics, win_rate
from studio.evaluate.probes import probes
from studio.evaluate.scoring import Scorer
from studio.evaluate.types import (
    EvaluateEvent,
    EvaluateFinished,
    EvaluateStarted,
    Evaluation,
    Probe,
    ProbeResult,
    ProbeScored,
)
from studio.judge import Judge
from studio.llm import ChatModel
from studio.spec import LoadedSpec
from studio.train.types import Run

TIMED_PROBES = MIN_SAMPLES
"""Probes that are asked one at a time first, so that the latency is that of a single reply, after one to warm up."""
AT_ONCE = 8
"""Probes in flight after that; both sides of each share a batch in the serve worker."""
MOST_IN_A_ROW = 10
"""So many calls that fail for good one after the other, each after its own retries, end the evaluation."""


class Evaluator:
    """One evaluation. ``events()`` runs it, or what is left of it; ``evaluation`` is there once it is whole."""

    def __init__(
        self, loaded: LoadedSpec, run: Run, judge: Judge, base: ChatModel, tuned: ChatModel, cache: ResultCache
    ) -> None:
        self._loaded, self._run, self._judge, self._cache = loaded, run, judge, cache
        self._scorer = Scorer(loaded, judge, base, tuned)
        self._probes = probes(loaded)
        self._failed_in_a_row = 0
        self.evaluation: Evaluation | None = None

    async def events(self, stop: Callable[[], bool]) -> AsyncIterator[EvaluateEvent]:
        """Ends early, without an evaluation, when ``stop()`` turns true; what was scored is kept.

        Probes that an earlier try could not judge are judged again, from the replies that it got. Raises UserError
        where the judge, or both sides, fail ten times in a row.
        """
        began = time.monotonic()
        yield EvaluateStarted(run_id=self._run.plan.run_id, judge=self._judge.name, probes=len(self._probes))
        known = self._cache.load()
        done = {name: result for name, result in known.items() if not result.errors}
        left = [probe for probe in self._probes if probe.id not in done]
        fresh = 0
        async with aclosing(self._score_all(left, known, stop)) as results:
            async for result in results:
                self._cache.add(result)
                done[result.probe.id] = result
                fresh += 1
                self._count_failures(result)
                eta = (time.monotonic() - began) / fresh * (len(left) - fresh)
                yield ProbeScored(result=result, done=len(done), probes=len(self._probes), eta_s=eta)
        if len(done) < len(self._probes):
            return
        self.evaluation = self._conclude([done[probe.id] for probe in self._probes], time.monotonic() - began)
        yield EvaluateFinished(
            evaluation_id=self.evaluation.id, gates=self.evaluation.gates, seconds=self.evaluation.seconds
        )

    async def _score_all(
        self, left: list[Probe], known: Mapping[str, ProbeResult], stop: Callable[[], bool]
    ) -> AsyncGenerator[ProbeResult, None]:
        timed = sum(result.tuned_s is not None for result in known.values())
        alone = [probe for probe in left if probe.id not in known][: max(TIMED_PROBES - timed, 0)]
        rest = sorted((one for one in left if one not in alone), key=lambda probe: len(str(probe.messages)))
        if alone and not stop():
            await self._scorer.warm_up(alone[0])
        for probe in alone:
            if stop():
                return
            yield await self._scorer.score_timed(probe)
        for start in range(0, len(rest), AT_ONCE):
            if stop():
                return
            batch = [
                asyncio.ensure_future(self._scorer.score(probe, known.get(probe.id)))
                for probe in rest[start : start + AT_ONCE]
            ]
            try:
                for scored in asyncio.as_completed(batch):
                    yield await scored
            finally:
                for task in batch:
                    task.cancel()

    def _count_failures(self, result: ProbeResult) -> None:
        self._failed_in_a_row = self._failed_in_a_row + len(result.errors) if result.nothing_judged else 0
        if self._failed_in_a_row >= MOST_IN_A_ROW:
            sides_failed = result.base_error or result.tuned_error
            raise UserError(
                f"{self._failed_in_a_row} calls in a row failed, the last with: {result.errors[-1]}",
                where=self._run.plan.run_id if sides_failed else f"judge {self._judge.name}",
                remedy="start the evaluation again once it answers; what was scored is kept",
            )

    def _conclude(self, results: list[ProbeResult], seconds: float) -> Evaluation:
        base, tuned, won = side_metrics(results, "base"), side_metrics(results, "tuned"), win_rate(results)
        plan, finished = self._run.plan, self._run.finished
        loss = finished.loss if finished else None
        size = finished.adapter_mb if finished else None
        mark = fingerprint(self._loaded, self._run, self._judge)
        unjudged = sum(bool(result.errors) for result in results)
        return Evaluation(
            id=f"{plan.run_id}-{mark[:8]}" + (f"-without-{unjudged}" if unjudged else ""),
            run_id=plan.run_id,
            spec_name=self._loaded.spec.name,
            spec_hash=self._loaded.hash,
            base_model=plan.base_model,
            judge=self._judge.name,
            base=base,
            tuned=tuned,
            win_rate=won,
            categories=by_category(results),
            gates=gates(
                self._loaded.spec,
                tuned,
                won,
                not_compared=sum(result.comparison.error is not None for result in results),
                train_loss=loss,
                adapter_mb=size,
                examples=plan.examples,
            ),
            results=tuple(results),
            train_loss=loss,
            adapter_mb=size,
            examples=plan.examples,
            created=datetime.now(UTC),
            seconds=seconds,
            fingerprint=mark,
        )


def fingerprint(loaded: LoadedSpec, run: Run, judge: Judge) -> str:
    """A SHA-256 over all that decides an evaluation: the spec (with its probes), the run and the judge, by its name
    and version."""
    parts = {"spec": loaded.hash, "run": run.plan.run_id, "plan": run.plan.fingerprint}
    parts |= {"judge": judge.name, "judge_version": judge.version}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
