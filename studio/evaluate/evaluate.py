"""Held-out probes through base and tuned, judged alone and against each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from studio.chatml import assistant, last_request
from studio.errors import UserError
from studio.evaluate.ask import Sides
from studio.evaluate.fingerprint import Cache, fingerprint, is_trial, judge_info
from studio.evaluate.looks import Look, seen_by
from studio.evaluate.metrics import NO_LABELS, Labels
from studio.evaluate.probes import keeps, probes
from studio.evaluate.report import restate
from studio.evaluate.types import (
    Asked,
    EvaluateEvent,
    EvaluateFinished,
    EvaluateStarted,
    Evaluation,
    Probe,
    ProbeResult,
    ProbeScored,
    RepliesCame,
    Reply,
    Trust,
)
from studio.judge import Agreement, Judge
from studio.judge.canaries import CanariesJudged, judge_canaries
from studio.judge.scoring import unscored
from studio.judge.types import Comparison
from studio.spec import LoadedSpec
from studio.store.records import Judgement
from studio.train.types import Run

JUDGED_AT_ONCE = 16
"""Probes: of each, two replies are judged and one pair in both orders."""
MOST_IN_A_ROW = 10
"""So many calls that fail for good one after the other, each after its own retries, end the evaluation."""
LOOK_S = 0.25
"""How often it is looked whether to stop, and what came."""


class Evaluator:
    """One evaluation. ``events()`` runs it, or what is left of it; ``evaluation`` is there once it is whole."""

    def __init__(
        self,
        loaded: LoadedSpec,
        run: Run,
        judge: Judge,
        sides: Sides,
        cache: Cache[ProbeResult],
        agreement: Agreement | None = None,
        look: Look | None = None,
        asked: tuple[Asked, ...] = ("tuned", "base", "prompted"),
    ) -> None:
        """``agreement`` is what was measured of the judge's with people; None: nothing was. ``look`` says which probes
        are asked and counted; None: all of them, and nobody counts."""
        self._loaded, self._run, self._judge, self._sides, self._cache = loaded, run, judge, sides, cache
        self._judge_info = judge_info(judge, agreement)
        self._look, self._asked = look, asked
        self._prompt_decides_nothing = loaded.spec.success.beats_prompt is None
        self._probes = probes(loaded) if look is None else seen_by(look, probes(loaded))
        self._judging = asyncio.Semaphore(JUDGED_AT_ONCE)
        self._failed_in_a_row = 0
        self._tuned_left, self._tuned_came = 0, asyncio.Event()
        self._trust = Trust()
        self.evaluation: Evaluation | None = None

    async def events(self, stop: Callable[[], bool], labels: Labels = NO_LABELS) -> AsyncIterator[EvaluateEvent]:
        """Ends early, without an evaluation, when ``stop()`` turns true; what was replied and scored is kept.

        Probes that an earlier try could not judge are judged again, from the replies that it got. Raises UserError
        where the judge, or both sides, fail ten times in a row.
        """
        began = time.monotonic()
        yield EvaluateStarted(run_id=self._run.plan.run_id, judge=self._judge.name, probes=len(self._probes))
        requests = [last_request(probe.messages) for probe in self._probes]
        if canaries := await judge_canaries(self._loaded, self._judge, requests, len(requests), "run"):
            self._trust = Trust(canaries=canaries)
            yield CanariesJudged(canaries=canaries)
        done = {result.probe.id: result for result in self._cache.load() if not result.errors}
        left = [probe for probe in self._probes if probe.id not in done]
        async for _ in self._sides.time_alone(left, stop):
            yield self._came()
        if stop():
            return
        self._tuned_left, self._tuned_came = len(left), asyncio.Event()
        working = {asyncio.ensure_future(self._score(probe)) for probe in left}
        everyone = tuple(working)
        fresh, came = 0, self._came()
        try:
            while working:
                ended, working = await asyncio.wait(working, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                for one in ended:
                    result = one.result()
                    self._cache.add(result)
                    done[result.probe.id] = result
                    fresh += 1
                    self._count_failures(result)
                    eta = (time.monotonic() - began) / fresh * (len(left) - fresh)
                    yield ProbeScored(result=result, done=len(done), probes=len(self._probes), eta_s=eta)
                if not fresh and (now := self._came()) != came:
                    came = now
                    yield came
                if working and stop():
                    return
        finally:
            for one in working:
                one.cancel()
            await asyncio.gather(*everyone, return_exceptions=True)
        results = tuple(done[probe.id].model_copy(update={"probe": probe}) for probe in self._probes)
        found = self.evaluation = self._conclude(results, time.monotonic() - began, labels)
        yield EvaluateFinished(evaluation_id=found.id, gates=found.gates, seconds=found.seconds)

    def _came(self) -> RepliesCame:
        there = self._sides.replies(self._probes, self._asked)
        return RepliesCame(done=there, replies=len(self._probes) * len(self._asked))

    async def _score(self, probe: Probe) -> ProbeResult:
        """One side after the other: a batch takes as long as its longest reply, and an untuned base rambles."""
        tuned = await self._sides.reply(probe, "tuned")
        self._tuned_left -= 1
        if not self._tuned_left:
            self._tuned_came.set()
        await self._tuned_came.wait()
        base = await self._sides.reply(probe, "base")
        prompted = await self._sides.reply(probe, "prompted") if "prompted" in self._asked else None
        # What decides no gate and cannot be asked leaves nothing to try again.
        unneeded = prompted is not None and prompted.error is not None and self._prompt_decides_nothing
        async with self._judging:
            base_judged, tuned_judged, comparison, prompted_comparison = await asyncio.gather(
                self._judged(probe, base),
                self._judged(probe, tuned),
                self._compared(probe, base, tuned),
                self._compared(probe, None if unneeded else prompted, tuned),
            )
        return ProbeResult(
            probe=probe,
            base=base.text,
            tuned=tuned.text,
            base_judgement=base_judged,
            tuned_judgement=tuned_judged,
            comparison=comparison,
            base_kept=keeps(base.text, probe.keep) if base.error is None else None,
            tuned_kept=keeps(tuned.text, probe.keep) if tuned.error is None else None,
            base_s=base.seconds,
            tuned_s=tuned.seconds,
            base_error=base.error,
            tuned_error=tuned.error,
            base_finish=base.finish,
            tuned_finish=tuned.finish,
            prompted=None if prompted is None or unneeded else prompted.text,
            prompted_error=prompted.error if prompted else None,
            prompted_comparison=prompted_comparison,
        )

    async def _judged(self, probe: Probe, reply: Reply) -> Judgement:
        """No situation is told to the judge: it would be the user's own message, which is in the conversation."""
        if reply.error is not None:
            return unscored(self._loaded, self._judge.name, reply.error, ())
        conversation = (*probe.messages, assistant(reply.text))
        return await self._judge.score(conversation, rules_first=False, finish=reply.finish, source="run")

    async def _compared(self, probe: Probe, first: Reply | None, tuned: Reply) -> Comparison | None:
        if first is None or self._judge.kind == "nobody":
            return None
        error = first.error or tuned.error
        if error is not None:
            return Comparison(winner="tie", orders=("tie", "tie"), error=error)
        compared = await self._judge.compare(probe.messages, first.text, tuned.text)
        unlearned = self._judge.kind == "learned" and compared.error is not None  # too few labels: no call that failed
        return None if unlearned else compared

    def _count_failures(self, result: ProbeResult) -> None:
        if (error := self._judge.last_error) is not None and error.fatal:
            raise error
        nothing_judged = result.base_judgement.verdict == result.tuned_judgement.verdict == "error"
        self._failed_in_a_row = self._failed_in_a_row + len(result.errors) if nothing_judged else 0
        if self._failed_in_a_row >= MOST_IN_A_ROW:
            sides_failed = result.base_error or result.tuned_error
            raise UserError(
                f"{self._failed_in_a_row} calls in a row failed, the last with: {result.errors[-1]}",
                where=self._run.plan.run_id if sides_failed else f"judge {self._judge.name}",
                remedy="start the evaluation again once it answers; what was scored is kept",
            )

    def _conclude(self, results: tuple[ProbeResult, ...], seconds: float, labels: Labels) -> Evaluation:
        plan, finished, spec = self._run.plan, self._run.finished, self._loaded.spec
        found = Evaluation(
            id="",
            run_id=plan.run_id,
            spec_name=spec.name,
            spec_hash=self._loaded.hash,
            base_model=plan.base_model,
            judge=self._judge_info,
            traits=spec.trait_names,
            success=spec.success,
            trial=is_trial(plan.base_model, spec.deployment.base_model),
            max_tokens=spec.deployment.max_tokens,
            results=results,
            train_loss=self._run.train_loss,
            adapter_mb=finished.adapter_mb if finished else None,
            examples=plan.examples,
            created=datetime.now(UTC),
            seconds=seconds,
            fingerprint=fingerprint(self._loaded, self._run, self._judge),
            scope=self._look.scope if self._look else "all",
            looks=self._look.number if self._look else 0,
            trust=self._trust,
        )
        return restate(found, labels)
