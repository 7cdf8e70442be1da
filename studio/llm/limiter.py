"""The limiter: the queue of the calls to one endpoint and model, which opens as rate limit and circuit breaker allow.

Judges go first. A call that is tried again keeps its place; one that waits for its next try holds no slot.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from dataclasses import dataclass

from studio.llm.breaker import Breaker
from studio.llm.errors import AttemptError
from studio.llm.rate_limit import RateLimit
from studio.llm.types import Purpose

_FIRST: frozenset[Purpose] = frozenset({"judge", "compare", "chat"})
"""A judgement finishes work that was paid for, and a person waits for a chat: both go before new work."""

Place = tuple[int, int]
"""A call's place in the queue: its class, then its number. A call that is tried again keeps its place."""


@dataclass(frozen=True)
class Slot:
    """A call's right to be under way: since when, and whether it probes an endpoint that did not answer."""

    entered: float
    probe: bool = False


class Limiter:
    """Queues the calls of one event loop to one endpoint and model; opens as limit and circuit breaker allow."""

    def __init__(self, limit: RateLimit, breaker: Breaker | None = None) -> None:
        self.limit, self.breaker = limit, breaker or Breaker()
        self._queue: list[tuple[Place, asyncio.Future[Slot]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._draining = False
        self.answers = 0
        """Answers that came so far."""

    def place(self, purpose: Purpose) -> Place:
        return (0 if purpose in _FIRST else 1, next(self._numbers))

    def last_place(self) -> Place:
        """Behind all others: for what failed as a probe, so that another probes next."""
        return (2, next(self._numbers))

    @property
    def queued(self) -> int:
        return sum(not turn.done() for _, turn in self._queue)

    async def enter(self, place: Place) -> Slot:
        """Wait for one's turn; the slot, which is to be given back to one of the ``left_`` methods.

        Raises :class:`AttemptError` once the endpoint was away longer than the patience, and after a stop.
        """
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (place, turn))
        self._open()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.left(turn.result())
            raise

    def left(self, slot: Slot) -> None:
        """The call ended in a way that says nothing of limits."""
        self.limit.ended()
        if slot.probe:
            self.breaker.left()
        self._open()

    def left_answered(self, slot: Slot) -> float:
        """The call was answered; the seconds that it took."""
        now = self._now()
        self.answers += 1
        if self.breaker.answered(slot.entered):
            self.limit.recovered(now)
        self.limit.succeeded(now, now - slot.entered)
        self._open()
        return now - slot.entered

    def left_failed(self, slot: Slot, request: int, failure: AttemptError) -> bool:
        """The call failed; whether nobody gets through now, so that it is not for this call to give up. ``request``
        is the same for equal requests."""
        now = self._now()
        if failure.congested:
            self.limit.refused(now, slot.entered, failure.wait)
        elif failure.kind == "timeout":
            self.limit.slow(now, slot.entered)
        else:
            self.limit.ended()
        if failure.kind == "limit" or failure.outage:
            self.breaker.failed(now, request, failure, probe=slot.probe, round_trip=self.limit.round_trip)
        else:  # refused or malformed: the server is there
            self.breaker.answered(slot.entered)
        self._open()
        return self.breaker.open

    def drain(self, draining: bool = True) -> None:
        """Start nothing new: what waits here is refused, but for judgements that can be had at once."""
        self._draining = draining
        self._open()

    def look(self) -> None:
        """Look again who may enter: something was changed from outside."""
        self._open()

    def _open(self) -> None:
        """Let in all who may enter now, and come back when the next may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._now()
        if self.breaker.patience_left(now) <= 0:
            self._refuse_all(self.breaker.given_up(now))
            self.breaker.reset()  # whoever asks again finds out anew
        if self._draining:
            self._refuse_all(AttemptError("stopped"), but_first=not self.breaker.open)
        while self._queue:
            if self._queue[0][1].done():  # cancelled while it waited
                heapq.heappop(self._queue)
                continue
            delay = self.breaker.delay(now) if self.breaker.open else self.limit.delay(now)
            if delay > 0:
                delay = min(delay, self.breaker.patience_left(now))
                if delay < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._open)
                return
            self.limit.started(now)
            heapq.heappop(self._queue)[1].set_result(Slot(now, self.breaker.started()))

    def _refuse_all(self, failure: AttemptError, *, but_first: bool = False) -> None:
        kept = []
        for place, turn in self._queue:
            if but_first and place[0] == 0:
                kept.append((place, turn))
            elif not turn.done():
                turn.set_exception(failure)
        heapq.heapify(kept)
        self._queue = kept

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
