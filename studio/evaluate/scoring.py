"""One probe through both sides: their replies, each judged alone, and the two compared."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from studio.chatml import assistant
from studio.evaluate.required_terms import keeps
from studio.evaluate.types import Probe, ProbeResult, Side
from studio.judge import Judge
from studio.judge.scoring import unscored
from studio.judge.types import Comparison
from studio.llm import ChatModel, ModelError, Purpose, Request, Sampling
from studio.spec import LoadedSpec
from studio.store.records import Judgement

MAX_TOKENS = 160


class Reply(NamedTuple):
    """``seconds`` where it was asked alone; ``error`` where there is none, and ``text`` is empty."""

    text: str
    seconds: float | None = None
    error: str | None = None


class Scorer:
    """Asks both sides and the judge. A reply or a judgement that fails is noted with its probe.

    Raises ModelError where the server of the sides is not there.
    """

    def __init__(self, loaded: LoadedSpec, judge: Judge, base: ChatModel, tuned: ChatModel) -> None:
        self._loaded, self._judge, self._base, self._tuned = loaded, judge, base, tuned

    async def warm_up(self, probe: Probe) -> None:
        """Let each side answer once, untimed."""
        await asyncio.gather(*(_reply(side, probe, "warm-up") for side in (self._base, self._tuned)))

    async def score_timed(self, probe: Probe) -> ProbeResult:
        """Each side is asked alone, one after the other."""
        return await self._judged(probe, await _timed_reply(self._base, probe), await _timed_reply(self._tuned, probe))

    async def score(self, probe: Probe, known: ProbeResult | None = None) -> ProbeResult:
        """Both sides are asked at once, but for a reply that is ``known`` from a try that could not judge it."""
        base, tuned = await asyncio.gather(
            self._known_or_asked(probe, "base", known), self._known_or_asked(probe, "tuned", known)
        )
        return await self._judged(probe, base, tuned)

    async def _known_or_asked(self, probe: Probe, side: Side, known: ProbeResult | None) -> Reply:
        reply = known and reply_of(known, side)
        return reply if reply and reply.error is None else await _reply(getattr(self, f"_{side}"), probe)

    async def _judged(self, probe: Probe, base: Reply, tuned: Reply) -> ProbeResult:
        base_judged, tuned_judged, comparison = await asyncio.gather(
            self._score(probe, base), self._score(probe, tuned), self._compare(probe, base, tuned)
        )
        return ProbeResult(
            probe=probe,
            base=base.text,
            tuned=tuned.text,
            base_judgement=base_judged,
            tuned_judgement=tuned_judged,
            comparison=comparison,
            base_kept=_kept(probe, base),
            tuned_kept=_kept(probe, tuned),
            base_s=base.seconds,
            tuned_s=tuned.seconds,
            base_error=base.error,
            tuned_error=tuned.error,
        )

    async def _score(self, probe: Probe, reply: Reply) -> Judgement:
        """No situation is told to the judge: it would be the user's own message, which is in the conversation."""
        if reply.error is not None:
            return unscored(self._loaded, self._judge.name, reply.error, ())
        return await self._judge.score((*probe.messages, assistant(reply.text)), rules_first=False)

    async def _compare(self, probe: Probe, base: Reply, tuned: Reply) -> Comparison:
        error = base.error or tuned.error
        if error is not None:
            return Comparison(winner="tie", orders=("tie", "tie"), error=error)
        return await self._judge.compare(probe.messages, base.text, tuned.text)


def reply_of(result: ProbeResult, side: Side) -> Reply:
    """What one side replied."""
    if side == "base":
        return Reply(result.base, result.base_s, result.base_error)
    return Reply(result.tuned, result.tuned_s, result.tuned_error)


def _kept(probe: Probe, reply: Reply) -> bool | None:
    return keeps(reply.text, probe.keep) if reply.error is None else None


async def _timed_reply(model: ChatModel, probe: Probe) -> Reply:
    began = time.monotonic()
    reply = await _reply(model, probe)
    return reply if reply.error else reply._replace(seconds=time.monotonic() - began)


async def _reply(model: ChatModel, probe: Probe, purpose: Purpose = "probe") -> Reply:
    """Greedy, so that the same adapter gives the same evaluation."""
    request = Request(purpose=purpose, messages=probe.messages, sampling=Sampling(max_tokens=MAX_TOKENS))
    try:
        return Reply((await model.complete(request)).text)
    except ModelError as error:
        if error.kind == "connection":
            raise
        return Reply("", error=f"no reply: {error}")
