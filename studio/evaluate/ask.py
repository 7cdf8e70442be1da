"""Asking the sides: a few replies alone, which are timed, and all others at once, which share batches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from studio.chatml import system
from studio.evaluate.fingerprint import Cache
from studio.evaluate.types import Asked, Probe, Reply
from studio.llm import ModelError
from studio.llm.types import ChatModel, Purpose, Request, Sampling
from studio.spec import Spec, persona_prompt

IN_FLIGHT = 128
"""Requests that wait for a reply at once, of all sides: the serve worker takes up to 64 of like length in a batch."""
TIMED_S = 30.0
"""Seconds that may be spent on replies asked alone: eight to ten of a model that makes ten tokens a second."""
MOST_TIMED = 59
"""Replies from which a 95th percentile is bounded from above; a model that is fast gets there in the time there is."""


class Sides:
    """Base, tuned and, where it is wanted, the base with the persona as its system prompt.

    Replies are greedy, so that the same adapter gives the same evaluation, and kept as soon as they come. One that
    fails is kept with its error, and asked for again by the next try. Raises ModelError where the server is not there.
    """

    def __init__(self, spec: Spec, base: ChatModel, tuned: ChatModel, cache: Cache[Reply]) -> None:
        self._models: Mapping[Asked, ChatModel] = {"base": base, "tuned": tuned, "prompted": base}
        self._persona, self._sampling = persona_prompt(spec), Sampling(max_tokens=spec.deployment.max_tokens)
        self._cache = cache
        self._known = {(one.probe_id, one.side): one for one in cache.load()}
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    def replies(self, probes: Sequence[Probe], sides: Sequence[Asked]) -> int:
        """How many of these replies are there."""
        return sum((probe.id, side) in self._known for probe in probes for side in sides)

    async def time_alone(self, probes: Sequence[Probe], stop: Callable[[], bool]) -> AsyncIterator[Reply]:
        """Ask the tuned side one by one, for :data:`TIMED_S` seconds at most, after one reply to warm up.

        Probes are taken in the order of their ids, which are hashes: a random sample of them.
        """
        left = [probe for probe in sorted(probes, key=lambda one: one.id) if (probe.id, "tuned") not in self._known]
        timed = sum(reply.seconds is not None for reply in self._known.values())  # by an earlier try
        left = left[: max(MOST_TIMED - timed, 0)]
        if not left or stop():
            return
        await self._ask("tuned", left[0], "warm-up", Sampling(max_tokens=8))
        began = time.monotonic()
        for probe in left:
            if stop() or time.monotonic() - began > TIMED_S:
                return
            asked = time.monotonic()
            reply = await self._ask("tuned", probe, "probe", self._sampling)
            took = time.monotonic() - asked
            yield self._keep(reply if reply.error else reply.model_copy(update={"seconds": took}))

    async def reply(self, probe: Probe, side: Asked) -> Reply:
        """The reply that is known, or a new one."""
        known = self._known.get((probe.id, side))
        if known is None or known.error is not None:
            async with self._slots:
                known = self._keep(await self._ask(side, probe, "probe", self._sampling))
        return known

    def _keep(self, reply: Reply) -> Reply:
        self._cache.add(reply)
        self._known[reply.probe_id, reply.side] = reply
        return reply

    async def _ask(self, side: Asked, probe: Probe, purpose: Purpose, sampling: Sampling) -> Reply:
        messages = probe.messages
        if side == "prompted":
            messages = (system(self._persona), *(message for message in messages if message.role != "system"))
        request = Request(purpose=purpose, messages=messages, sampling=sampling)
        try:
            done = await self._models[side].complete(request)
        except ModelError as error:
            if error.kind == "connection":
                raise
            return Reply(probe_id=probe.id, side=side, text="", error=f"no reply: {error}")
        return Reply(probe_id=probe.id, side=side, text=done.text, finish=done.finish)
