"""Held-out probes through base and tuned, judged alone and against each other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from studio.chatml import assistant
from studio.evaluate.cache import ResultCache
from studio.evaluate.gates import gates
from studio.evaluate.metrics import by_category, side_metrics, win_rate
from studio.evaluate.probes import keeps, probes
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
from studio.llm.types import ChatModel, Purpose, Request, Sampling
from studio.spec import LoadedSpec
from studio.train.types import Run

TIMED_PROBES = 12
"""Probes that are asked one at a time first, so that the latency is that of a single reply, after one to warm up."""
AT_ONCE = 8
"""Probes in flight after that; both sides of each share a batch in the serve worker."""
MAX_TOKENS = 160


class Evaluator:
    """One evaluation. ``events()`` runs it, or what is left of it; ``evaluation`` is there once it is whole."""

    def __init__(
        self, loaded: LoadedSpec, run: Run, judge: Judge, base: ChatModel, tuned: ChatModel, cache: ResultCache
    ) -> None:
        self._loaded, self._run, self._judge, self._cache = loaded, run, judge, cache
        self._base, self._tuned = base, tuned
        self._probes = probes(loaded)
        self.evaluation: Evaluation | None = None

    async def events(self, stop: Callable[[], bool]) -> AsyncIterator[EvaluateEvent]:
        """Ends early, without an evaluation, when ``stop()`` turns true; what was scored is kept."""
        began = time.monotonic()
        yield EvaluateStarted(run_id=self._run.plan.run_id, judge=self._judge.name, probes=len(self._probes))
        done = self._cache.load()
        left = [probe for probe in self._probes if probe.id not in done]
        fresh = 0
        timed = sum(result.tuned_s is not None for result in done.values())
        async for result in self._score_all(left, max(TIMED_PROBES - timed, 0), stop):
            self._cache.add(result)
            done[result.probe.id] = result
            fresh += 1
            eta = (time.monotonic() - began) / fresh * (len(left) - fresh)
            yield ProbeScored(result=result, done=len(done), probes=len(self._probes), eta_s=eta)
        if len(done) < len(self._probes):
            return
        self.evaluation = self._conclude([done[probe.id] for probe in self._probes], time.monotonic() - began)
        yield EvaluateFinished(
            evaluation_id=self.evaluation.id, gates=self.evaluation.gates, seconds=self.evaluation.seconds
        )

    async def _score_all(self, left: list[Probe], timed: int, stop: Callable[[], bool]) -> AsyncIterator[ProbeResult]:
        alone, rest = left[:timed], sorted(left[timed:], key=lambda probe: len(str(probe.messages)))
        if alone and not stop():
            await asyncio.gather(*(_reply(side, alone[0], "warm-up") for side in (self._base, self._tuned)))
        for probe in alone:
            if stop():
                return
            yield await self._score(probe, alone=True)
        for start in range(0, len(rest), AT_ONCE):
            if stop():
                return
            batch = [self._score(probe, alone=False) for probe in rest[start : start + AT_ONCE]]
            for scored in asyncio.as_completed(batch):
                yield await scored

    async def _score(self, probe: Probe, *, alone: bool) -> ProbeResult:
        base_s: float | None = None
        tuned_s: float | None = None
        if alone:
            base, base_s = await _timed_reply(self._base, probe)
            tuned, tuned_s = await _timed_reply(self._tuned, probe)
        else:
            base, tuned = await asyncio.gather(_reply(self._base, probe), _reply(self._tuned, probe))
        base_judged, tuned_judged, comparison = await asyncio.gather(
            self._judge.score((*probe.messages, assistant(base)), probe.scenario, rules_first=False),
            self._judge.score((*probe.messages, assistant(tuned)), probe.scenario, rules_first=False),
            self._judge.compare(probe.messages, base, tuned),
        )
        return ProbeResult(
            probe=probe,
            base=base,
            tuned=tuned,
            base_judgement=base_judged,
            tuned_judgement=tuned_judged,
            comparison=comparison,
            base_kept=keeps(base, probe.keep),
            tuned_kept=keeps(tuned, probe.keep),
            base_s=base_s,
            tuned_s=tuned_s,
        )

    def _conclude(self, results: list[ProbeResult], seconds: float) -> Evaluation:
        base, tuned, won = side_metrics(results, "base"), side_metrics(results, "tuned"), win_rate(results)
        plan, finished = self._run.plan, self._run.finished
        loss = finished.loss if finished else None
        size = finished.adapter_mb if finished else None
        mark = fingerprint(self._loaded, self._run, self._judge.name)
        return Evaluation(
            id=f"{plan.run_id}-{mark[:8]}",
            run_id=plan.run_id,
            spec_name=self._loaded.spec.name,
            spec_hash=self._loaded.hash,
            base_model=plan.base_model,
            judge=self._judge.name,
            base=base,
            tuned=tuned,
            win_rate=won,
            categories=by_category(results),
            gates=gates(self._loaded.spec, tuned, won, train_loss=loss, adapter_mb=size, examples=plan.examples),
            results=tuple(results),
            train_loss=loss,
            adapter_mb=size,
            examples=plan.examples,
            created=datetime.now(UTC),
            seconds=seconds,
            fingerprint=mark,
        )


def fingerprint(loaded: LoadedSpec, run: Run, judge: str) -> str:
    """A SHA-256 over all that decides an evaluation: the spec (with its probes), the run and the judge."""
    parts = {"spec": loaded.hash, "run": run.plan.run_id, "plan": run.plan.fingerprint, "judge": judge}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


async def _timed_reply(model: ChatModel, probe: Probe) -> tuple[str, float]:
    began = time.monotonic()
    reply = await _reply(model, probe)
    return reply, time.monotonic() - began


async def _reply(model: ChatModel, probe: Probe, purpose: Purpose = "probe") -> str:
    """Greedy, so that the same adapter gives the same evaluation."""
    request = Request(purpose=purpose, messages=probe.messages, sampling=Sampling(max_tokens=MAX_TOKENS))
    return (await model.complete(request)).text
