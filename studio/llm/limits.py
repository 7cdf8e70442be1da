"""Learning what an endpoint allows: how many calls at once, and how many a second.

The window of calls in flight grows by one a success (doubling each round trip) until the first 429, is then cut to
0.8 at most once a round trip, and grows back to 85 % of the size that failed. Where the endpoint names its rate, starts
are spaced to 98.5 % of it. Where it does not, cut after cut in a short time means a rate and not a window: between two
429s the endpoint's own budget is empty at both ends, so the starts it let through in between are its rate, and starts
are spaced to 96 % of that. This is congestion control as in TCP (additive increase, multiplicative decrease) with a
pacer beside it. All of it is plain arithmetic on the times it is told: no clock, no tasks.
"""

from __future__ import annotations

import math
from collections import deque

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
"""So many 429s within ``CLOSE_SPAN`` seconds close the gate for all, not only for the calls that got them."""
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


class Limits:
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
