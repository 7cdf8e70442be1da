"""One probe through both sides: their replies, each judged alone, and the two compared."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from studio.chatml import assistant, last_request
from studio.evaluate.keeping import keeps
from studio.evaluate.types import Probe, ProbeResult
from studio.judge import Judge
from studio.llm.types import ChatModel, Purpose, Request, Sampling

MAX_TOKENS = 160


class Replies(NamedTuple):
    """Of both sides, with the seconds that each took where it was asked alone."""

    base: str
    tuned: str
    base_s: float | None = None
    tuned_s: float | None = None


class Scorer:
    """Asks both sides and the judge. Raises ModelError where a side does not answer; a judge that fails is noted."""

    def __init__(self, judge: Judge, base: ChatModel, tuned: ChatModel) -> None:
        self._judge, self._base, self._tuned = judge, base, tuned

    async def warm_up(self, probe: Probe) -> None:
        """Let each side answer once, untimed."""
        await asyncio.gather(*(_reply(side, probe, "warm-up") for side in (self._base, self._tuned)))

    async def score_timed(self, probe: Probe) -> ProbeResult:
        """Each side is asked alone, one after the other."""
        base, base_s = await _timed_reply(self._base, probe)
        tuned, tuned_s = await _timed_reply(self._tuned, probe)
        return await self._judged(probe, Replies(base, tuned, base_s, tuned_s))

    async def score(self, probe: Probe, known: ProbeResult | None = None) -> ProbeResult:
        """Both sides are asked at once, unless their replies are ``known`` from a try that could not judge them."""
        if known is not None:
            return await self._judged(probe, Replies(known.base, known.tuned, known.base_s, known.tuned_s))
        return await self._judged(
            probe, Replies(*await asyncio.gather(_reply(self._base, probe), _reply(self._tuned, probe)))
        )

    async def _judged(self, probe: Probe, said: Replies) -> ProbeResult:
        """No situation is told to the judge: it would be the user's own message, which is in the conversation."""
        base_judged, tuned_judged, comparison = await asyncio.gather(
            self._judge.score((*probe.messages, assistant(said.base)), rules_first=False),
            self._judge.score((*probe.messages, assistant(said.tuned)), rules_first=False),
            self._judge.compare(probe.messages, said.base, said.tuned),
        )
        request = last_request(probe.messages)
        return ProbeResult(
            probe=probe,
            base=said.base,
            tuned=said.tuned,
            base_judgement=base_judged,
            tuned_judgement=tuned_judged,
            comparison=comparison,
            base_kept=keeps(said.base, probe.keep, request),
            tuned_kept=keeps(said.tuned, probe.keep, request),
            base_s=said.base_s,
            tuned_s=said.tuned_s,
        )


async def _timed_reply(model: ChatModel, probe: Probe) -> tuple[str, float]:
    began = time.monotonic()
    reply = await _reply(model, probe)
    return reply, time.monotonic() - began


async def _reply(model: ChatModel, probe: Probe, purpose: Purpose = "probe") -> str:
    """Greedy, so that the same adapter gives the same evaluation."""
    request = Request(purpose=purpose, messages=probe.messages, sampling=Sampling(max_tokens=MAX_TOKENS))
    return (await model.complete(request)).text
