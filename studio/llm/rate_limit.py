"""The rate limit of an endpoint, learned: how many calls at once, and how many a second.

The window of calls in flight grows by one a success (doubling each round trip) until the first 429, is then cut to
0.8 at most once a round trip, and grows back to 85 % of the size that failed. It stays where it is while it is not
used, and where more calls at once no longer bring more answers a second. Where the endpoint names its rate, starts
are spaced to 98.5 % of it, and what was refused before is no sign of a window. Where it does not, cut after cut in a
short time means a rate and not a window: between two 429s the endpoint's own budget is empty at both ends, so the
starts it let through in between are its rate, and starts are spaced to 96 % of that. This is congestion control as in
TCP (additive increase, multiplicative decrease) with a pacer beside it. What is learned while nobody gets through is
forgotten once somebody does: it is no limit.
Plain arithmetic on the times it is told: no clock, no tasks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST = 512
"""Calls at once that are never exceeded, whatever an endpoint bears."""
START = 16
FIRST = 8
"""Calls at once before the first answer, which may name the limit: what is sent beyond it is refused."""
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
CLOSE_LONGEST = 60.0
"""Seconds for which they do so at most; a longer wait opens the circuit breaker."""
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
LEVEL_S, LEVEL_ANSWERS = 2.0, 40
"""Answers a second are compared over at least so many seconds, two round trips and so many answers."""
LEVEL_GROWTH, LEVEL_GAIN = 1.1, 0.25
"""A window that has grown by the first and gained less than the second's part of that in answers a second is too large:
ten times the calls have to bring more than three times the answers."""
SLOWED = 2.0
"""Round trips that have become longer by this hold the window until that comparison."""
LEVEL_AGAIN = 60.0
"""Seconds after which a larger one is tried again."""
AFRESH = 60.0
"""Seconds after a recovery in which another one does not bring back the window from before: then it is a limit."""
CATCH_UP = 0.01
"""Seconds by which a late start may be made good by an early next one: timers are never exact."""


class RateLimit:
    """The state of one endpoint and model. ``most`` bounds the window. Times are seconds on any steady clock."""

    def __init__(self, most: int = MOST, start: int = START) -> None:
        self.most = most
        self.window = float(min(start, most))
        self._first = FIRST if start <= START else MOST
        self.ceiling: float | None = None
        """The window at which the last 429 came; None before the first."""
        self.rate: float | None = None
        """Starts a second that are allowed; None while no rate is known."""
        self.named: float = math.inf
        """The rate that the endpoint names, which ``rate`` never exceeds; infinity where it names none."""
        self.in_flight = 0
        self.round_trip = 0.0
        self.refusals = 0
        self.level = math.inf
        """The window beyond which more calls at once brought no more answers a second."""
        self.tokens_a_call = 0.0
        self._named_calls = self._named_tokens = math.inf
        self._peak, self._peaked = 0, -math.inf
        self._epoch = _Epoch()
        self._before: _Epoch | None = None
        self._leveled = -math.inf
        self._quickest = math.inf
        self._earlier: tuple[float, float | None, float | None, float] | None = None
        """Window, ceiling, rate and its growth before the first refusal since the last answer to a later call."""
        self._refused = -math.inf
        self._recovered = -math.inf
        self._next_start = -math.inf
        self._closed_until = self._closed_unasked = -math.inf
        """Until when nobody starts, and until when that is so though the endpoint asked for no wait."""
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
        if self.in_flight >= int(min(self.window, self.most, self._first)):
            return math.inf
        wait = self._closed_until - now
        if self.rate is not None:
            wait = max(wait, self._next_start - now)
        return max(0.0, wait)

    def started(self, now: float) -> None:
        self.in_flight += 1
        if self.in_flight > self._peak or now - self._peaked > 2 * (self.round_trip or SLOW):
            self._peak, self._peaked = self.in_flight, now
        self._admitted += 1
        if self.rate is not None:
            self._next_start = max(self._next_start, now - CATCH_UP) + 1 / self.rate

    def ended(self) -> None:
        """A call ended in a way that says nothing of limits."""
        self.in_flight -= 1

    def succeeded(self, now: float, seconds: float) -> None:
        """A call was answered after ``seconds``."""
        self.in_flight -= 1
        self._first = MOST
        if now - seconds > self._refused:
            self._earlier = None
        self.round_trip = seconds if self.round_trip == 0 else 0.8 * self.round_trip + 0.2 * seconds
        if self.rate is not None:
            self.rate = min(self.named, self.rate * (1 + self._growth) ** min(1.0, now - self._grown))
            self._grown = now
        self._quickest = min(self._quickest, self.round_trip)
        used = self.window <= 2 * self._peak  # what is not used is not known to be borne
        if used and self.round_trip <= SLOWED * self._quickest:
            self.window = min(self.window + 1, self._target())
        self._compare(now)
        if self.ceiling is not None and now - max(self._last_cut, self._probed) > PROBE_AFTER:
            self._probed = now
            self.ceiling = min(max(self.ceiling * 1.05, self.ceiling + 0.5), self.most / REGROW)

    def refused(self, now: float, started: float, retry_after: float | None) -> None:
        """A call that had ``started`` got a 429, with its ``retry_after`` seconds if it came with any."""
        self.in_flight -= 1
        self._admitted -= 1
        self.refusals += 1
        if self._earlier is None:
            self._earlier = (self.window, self.ceiling, self.rate, self._growth)
            self._refused = now
        self._recent.append(now)
        if len(self._recent) == CLOSE_AFTER and now - self._recent[0] <= CLOSE_SPAN:
            wait = CLOSE_DEFAULT if retry_after is None else min(retry_after, CLOSE_LONGEST)
            self._closed_until = max(self._closed_until, now + wait)
            if retry_after is None:
                self._closed_unasked = now + wait
            self._recent.clear()
        if started <= self._last_cut:
            self._tighten()
        elif now - self._last_cut >= (self.round_trip or SLOW):
            self._cut(now)

    def slow(self, now: float, started: float) -> None:
        """A call that had ``started`` timed out: the server may have more than it can do."""
        self.in_flight -= 1
        if started > self._last_cut:
            self._last_cut = now
            self.window = max(1.0, CUT * self.window)

    def recovered(self, now: float) -> None:
        """Somebody got through after a time in which nobody did: go on from before, carefully at first."""
        self._recent.clear()
        self._cuts.clear()
        self._closed_until = -math.inf
        if self._earlier is not None and now - self._recovered > AFRESH:
            window, self.ceiling, self.rate, self._growth = self._earlier
            self.window = max(self.window, min(float(START), window))
        self._recovered, self._earlier = now, None

    def name_rate(self, a_minute: float) -> None:
        """The endpoint says how many calls it allows a minute; more than none."""
        self._named_calls = NAMED_SHARE * a_minute / 60
        self._name()

    def name_tokens(self, now: float, used: int, a_minute: float, left: float | None, back: float | None) -> None:
        """The endpoint says how many tokens it allows a minute, after a call that took ``used``; that it has so many
        left, and all of them in ``back`` seconds."""
        self.tokens_a_call = used if self.tokens_a_call == 0 else 0.95 * self.tokens_a_call + 0.05 * used
        self._named_tokens = NAMED_SHARE * a_minute / 60 / max(1.0, self.tokens_a_call)
        self._name()
        if left is not None and back is not None and left < self.tokens_a_call:
            self._closed_until = max(self._closed_until, now + min(back, CLOSE_LONGEST))

    def _name(self) -> None:
        self.named = min(self._named_calls, self._named_tokens)
        if self.rate is None:
            self._pace(self.named)
            self._cuts.clear()
            if self._closed_until == self._closed_unasked:
                self._closed_until = -math.inf
        self.rate = min(self.rate or self.named, self.named)

    def _pace(self, rate: float) -> None:
        """It is a rate: pace to it, and give the window back what cuts took for the wrong reason."""
        self.rate, self.ceiling = rate, None
        self.window = max(self.window, min(float(self.most), math.ceil(2 * rate * (self.round_trip or SLOW))))

    def learned(self) -> dict[str, float | None]:
        """What another process may begin with."""
        level = None if math.isinf(self.level) else self.level
        return {"window": self.window, "ceiling": self.ceiling, "rate": self.rate, "level": level}

    def begin_with(self, learned: Mapping[str, Any]) -> None:
        """Begin with what another process learned; what is no number of ours is passed over."""
        found = {
            name: float(value)
            for name in ("window", "ceiling", "rate", "level")
            if isinstance(value := learned.get(name), int | float) and math.isfinite(value) and value > 0
        }
        self.window = min(float(self.most), max(1.0, found.get("window", self.window)))
        self.ceiling, self.rate = found.get("ceiling"), found.get("rate")
        self.level = found.get("level", math.inf)
        self._peak, self._first = int(self.window), MOST

    def _compare(self, now: float) -> None:
        """Hold the window where a larger one brought no more answers a second; try again after a while."""
        if not math.isinf(self.level) and now - self._leveled > LEVEL_AGAIN:
            self.level, self._leveled, self._quickest = math.inf, now, self.round_trip
        epoch = self._epoch
        if epoch.answers == 0:
            epoch.began = now
        epoch.answers += 1
        epoch.windows += self.window
        epoch.full += self.in_flight + 1 >= 0.9 * min(self.window, self.most)
        seconds = now - epoch.began
        if seconds < max(LEVEL_S, 2 * self.round_trip) or epoch.answers < LEVEL_ANSWERS:
            return
        epoch.rate = epoch.answers / seconds
        self._epoch = _Epoch()
        if epoch.full < 0.8 * epoch.answers or self.rate is not None:
            return
        before = self._before
        if before is None or epoch.window <= 1.02 * before.window:
            self._before = epoch
            return
        growth = epoch.window / before.window
        if growth < LEVEL_GROWTH:
            self._quickest = self.round_trip
        elif epoch.rate >= before.rate * (1 + LEVEL_GAIN * (growth - 1)):
            self._before, self._quickest = epoch, self.round_trip
        else:
            self.level = self.window = max(1.0, before.window)
            self._leveled = now

    def _target(self) -> float:
        """How far the window may grow. For small ceilings 85 % would be a whole call too few."""
        most = min(float(self.most), self.level)
        if self.ceiling is None:
            return most
        return min(most, max(REGROW * self.ceiling, min(self.ceiling - 1, SMALL), 1.0))

    def _cut(self, now: float) -> None:
        self._last_cut = now
        self._cuts.append((now, self._admitted))
        if self.rate is not None and self.rate < self.named:
            self._slow_down()
        elif self.rate is not None and (len(self._cuts) < 2 or now - self._cuts[-2][0] > PROBE_AFTER):
            return  # the named rate is kept; refused again, it is too many at once
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
        self._pace(FOUND_SHARE * self._through(0))
        self._grown = now
        self._growth = GROWTH_FROM_FEW if self._admitted - self._cuts[0][1] < FEW else GROWTH

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


@dataclass
class _Epoch:
    """Answers over a time, and the windows in which they came."""

    began: float = 0.0
    answers: int = 0
    full: int = 0
    windows: float = 0.0
    rate: float = 0.0

    @property
    def window(self) -> float:
        return self.windows / max(1, self.answers)
