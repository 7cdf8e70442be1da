"""The gate before an endpoint: who may call next, judges first, within the limits learned so far."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math

from studio.llm.limits import Limits
from studio.llm.types import Purpose

_FIRST: frozenset[Purpose] = frozenset({"judge", "compare", "chat"})
"""A judgement finishes work that was paid for, and a person waits for a chat: both go before new work."""

Place = tuple[int, int]
"""A call's place in the queue: its class, then its number. A call that is tried again keeps its place."""


class Gate:
    """Queues the calls of one event loop to one endpoint and model, and opens as :class:`Limits` allows."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._queue: list[tuple[Place, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def place(self, purpose: Purpose) -> Place:
        return (0 if purpose in _FIRST else 1, next(self._numbers))

    async def enter(self, place: Place) -> float:
        """Wait for one's turn; the time at which it came, which is to be given back to one of the ``left_`` methods."""
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (place, turn))
        self._open()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.left()
            raise
        return self._now()

    def left(self) -> None:
        """The call ended in a way that says nothing of limits."""
        self.limits.ended()
        self._open()

    def left_answered(self, entered: float) -> float:
        """The call was answered; the seconds that it took."""
        now = self._now()
        self.limits.succeeded(now, now - entered)
        self._open()
        return now - entered

    def left_refused(self, entered: float, retry_after: float | None) -> None:
        self.limits.refused(self._now(), entered, retry_after)
        self._open()

    def _open(self) -> None:
        """Let in all who may enter now, and come back when the next may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            if self._queue[0][1].done():  # cancelled while it waited
                heapq.heappop(self._queue)
                continue
            now = self._now()
            delay = self.limits.delay(now)
            if delay > 0:
                if delay < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._open)
                return
            self.limits.started(now)
            heapq.heappop(self._queue)[1].set_result(None)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
