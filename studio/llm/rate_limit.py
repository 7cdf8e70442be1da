"""The rate limit of an endpoint, learned: how many calls at once, how many a second, and who goes next.

The window of calls in flight grows by one a success (doubling each round trip) until the first 429, is then cut to
0.8 at most once a round trip, and grows back to 85 % of the size that failed. Where the endpoint names its rate, starts
are spaced to 98.5 % of it. Where it does not, cut after cut in a short time means a rate and not a window: between two
429s the endpoint's own budget is empty at both ends, so the starts it let through in between are its rate, and starts
are spaced to 96 % of that. This is congestion control as in TCP (additive increase, multiplicative decrease) with a
pacer beside it. :class:`RateLimit` is plain arithmetic on the times it is told: no clock, no tasks.
:class:`Limiter` queues calls by it, judges first.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections import deque

from studio.llm.types import Purpose

START = 16
CUT = 0.8
REGROW = 0.85
SMALL = 8.0
NAMED_SHARE = 0.985
FOUND_SHARE = 0.96
RATE_CUTS = 3
"""So many cuts within ``RATE_SPAN`` seconds (or as many round trips, if those are slow) mean a rate."""
RATE_SPAN = 4.0
CLOSE_AFTER = 3
"""So many 429s within ``CLOSE_SPAN`` seconds hold all calls back, not only for the calls that got them."""
CLOSE_SPAN = 2.0
CLOSE_DEFAULT = 1.0
SLOW = 1.0
"""Seconds taken for a round trip before one was seen."""
GROWTH = 0.05
"""By how much a found rate grows a second; halved at each refusal, down to ``GROWTH_LEAST``: limits rise too."""
GROWTH_LEAST = 0.005
GROWTH_FROM_FEW = 0.3
FEW = 20
"""A rate found from fewer calls than this is a guess, and most likely low: it grows by ``GROWTH_FROM_FEW`` at first."""
PROBE_AFTER = 15.0
"""Seconds without a cut after which a window a little above the ceiling is tried, for the same reason."""
CATCH_UP = 0.01
"""Seconds by which a late start may be made good by an early next one: timers are never exact."""
_FIRST: frozenset[Purpose] = frozenset({"judge", "compare", "chat"})
"""A judgement finishes work that was paid for, and a person waits for a chat: both go before new work."""

Place = tuple[int, int]
"""A call's place in the queue: its class, then its number. A call that is tried again keeps its place."""


class RateLimit:
    """The state of one endpoint and model. ``most`` bounds the window. Times are seconds on any steady clock."""

    def __init__(self, most: int, start: int = START) -> None:
        self.most = most
        self.window = float(min(start, most))
        self.ceiling: float | None = None
        """The window at which the last 429 came; None before the first."""
        self.rate: float | None = None
        """Starts a second that are allowed; None while no rate is known."""
        self.named: float = math.inf
        """The rate that the endpoint names, which ``rate`` never exceeds; infinity where it names none."""
        self.in_flight = 0
        self.round_trip = 0.0
        self.refusals = 0
        self._next_start = -math.inf
        self._closed_until = -math.inf
        self._last_cut = -math.inf
        self._growth = GROWTH
        self._grown = -math.inf
        self._probed = -math.inf
        self._recent: deque[float] = deque(maxlen=CLOSE_AFTER)
        self._cuts: deque[tuple[float, int]] = deque(maxlen=RATE_CUTS)
        """When each cut was made, and how many calls had been admitted by then."""
        self._admitted = 0

    def delay(self, now: float) -> float:
        """Seconds until one more call may start: 0 for at once, infinity while the window is full."""
        if self.in_flight >= int(min(self.window, self.most)):
            return math.inf
        wait = self._closed_until - now
        if self.rate is not None:
            wait = max(wait, self._next_start - now)
        return max(0.0, wait)

    def started(self, now: float) -> None:
        self.in_flight += 1
        self._admitted += 1
        if self.rate is not None:
            self._next_start = max(self._next_start, now - CATCH_UP) + 1 / self.rate

    def ended(self) -> None:
        """A call ended in a way that says nothing of limits."""
        self.in_flight -= 1

    def succeeded(self, now: float, seconds: float) -> None:
        """A call was answered after ``seconds``."""
        self.in_flight -= 1
        self.round_trip = seconds if self.round_trip == 0 else 0.8 * self.round_trip + 0.2 * seconds
        if self.rate is not None:
            self.rate = min(self.named, self.rate * (1 + self._growth) ** min(1.0, now - self._grown))
            self._grown = now
        self.window = min(self.window + 1, self._target())
        if self.ceiling is not None and now - max(self._last_cut, self._probed) > PROBE_AFTER:
            self._probed = now
            self.ceiling = min(max(self.ceiling * 1.05, self.ceiling + 0.5), self.most / REGROW)

    def refused(self, now: float, started: float, retry_after: float | None) -> None:
        """A call that had ``started`` got a 429, with its ``retry_after`` seconds if it came with any."""
        self.in_flight -= 1
        self._admitted -= 1
        self.refusals += 1
        self._recent.append(now)
        if len(self._recent) == CLOSE_AFTER and now - self._recent[0] <= CLOSE_SPAN:
            wait = CLOSE_DEFAULT if retry_after is None else retry_after
            self._closed_until = max(self._closed_until, now + wait)
            self._recent.clear()
        if started <= self._last_cut:
            self._tighten()
        elif now - self._last_cut >= (self.round_trip or SLOW):
            self._cut(now)

    def name_rate(self, a_minute: float) -> None:
        """The endpoint says how many calls it allows a minute; more than none."""
        self.named = NAMED_SHARE * a_minute / 60
        self.rate = self.named if self.rate is None else min(self.rate, self.named)

    def _target(self) -> float:
        """How far the window may grow. For small ceilings 85 % would be a whole call too few."""
        if self.ceiling is None:
            return float(self.most)
        return min(float(self.most), max(REGROW * self.ceiling, min(self.ceiling - 1, SMALL), 1.0))

    def _cut(self, now: float) -> None:
        self._last_cut = now
        self._cuts.append((now, self._admitted))
        if self.rate is not None:
            self._slow_down()
        elif self._looks_like_a_rate(now):
            self._find_rate(now)
        else:
            self.ceiling = min(self.window, self.in_flight + 1.0)
            self.window = max(1.0, CUT * self.ceiling)

    def _looks_like_a_rate(self, now: float) -> bool:
        """Cut after cut, or cut again with next to nothing in flight."""
        often = len(self._cuts) == RATE_CUTS and now - self._cuts[0][0] <= max(RATE_SPAN, RATE_CUTS * self.round_trip)
        return often or (len(self._cuts) > 1 and self.in_flight <= 1)

    def _tighten(self) -> None:
        """One more of the same volley: what is still in flight is nearer to what is allowed."""
        if self.ceiling is not None:
            self.ceiling = min(self.ceiling, self.in_flight + 1.0)
            self.window = max(1.0, CUT * self.ceiling)

    def _find_rate(self, now: float) -> None:
        """It is a rate: pace to it, and give the window back what the cuts took for the wrong reason."""
        self.rate, self._grown = FOUND_SHARE * self._through(0), now
        self._growth = GROWTH_FROM_FEW if self._admitted - self._cuts[0][1] < FEW else GROWTH
        self.ceiling = None
        self.window = max(self.window, min(float(self.most), math.ceil(2 * self.rate * (self.round_trip or SLOW))))

    def _slow_down(self) -> None:
        """Refused although paced. What got through since the last time is never more than the true rate, but it is
        less where there was little to do: so no step down is larger than a seventh."""
        if self.rate is not None:
            through = FOUND_SHARE * self._through(-2) if len(self._cuts) > 1 else math.inf
            self.rate = min(0.97 * self.rate, max(0.85 * self.rate, through))
            self._growth = max(self._growth / 2, GROWTH_LEAST)

    def _through(self, since: int) -> float:
        """Calls a second that were let through from one earlier cut to the last one."""
        (first, before), (last, after) = self._cuts[since], self._cuts[-1]
        return max(after - before, 1) / max(last - first, 0.1)


class Limiter:
    """Queues the calls of one event loop to one endpoint and model, and opens as :class:`RateLimit` allows."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
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
        self.limit.ended()
        self._open()

    def left_answered(self, entered: float) -> float:
        """The call was answered; the seconds that it took."""
        now = self._now()
        self.limit.succeeded(now, now - entered)
        self._open()
        return now - entered

    def left_refused(self, entered: float, retry_after: float | None) -> None:
        self.limit.refused(self._now(), entered, retry_after)
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
            delay = self.limit.delay(now)
            if delay > 0:
                if delay < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._open)
                return
            self.limit.started(now)
            heapq.heappop(self._queue)[1].set_result(None)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
