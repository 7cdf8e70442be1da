"""The circuit breaker of an endpoint: closed while it answers, open while nobody gets through, half-open for a probe.

It opens when calls fail one after the other with no answer in between, since the server is away or overloaded, and when
a 429 asks for a long wait. While it is open all calls wait and none of them is used up; from time to time one of them
probes. Its answer closes the circuit. A server that stays away longer than the patience ends the run.

What may be the doing of one request (a 500, a connection lost after it was sent, a timeout) opens the circuit only
once several requests met it: one that the server cannot bear is given up alone. See Nygard, "Release It!". Plain
arithmetic on the times that it is told, in seconds on any steady clock: no clock, no tasks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from studio.llm.errors import AttemptError

Reason = Literal["server", "limit"]
AWAY_AFTER = 3
"""So many failures in a row that are no request's own doing mean that the server is away."""
OWN_AFTER = 5
"""So many of those that may be, of ``AWAY_AFTER`` different requests at least."""
REFUSED_AFTER = 4
"""So many 429s with no answer to a later call, for ``REFUSED_S`` or one and a half round trips, mean that the limit
lets nobody through."""
REFUSED_S = 1.5
LONG_WAIT = 30.0
"""Seconds from which a wait that a 429 asks for holds all calls back, and not only the one that was refused."""
LIMIT_WAIT = 8.0
"""The longest time between two probes of a limit without ``retry-after``."""


@dataclass
class Breaker:
    """``patience``: seconds without an answer that are borne. Probes begin after ``first_wait`` seconds, then twice
    that, up to ``longest_wait``."""

    patience: float = 1800.0
    first_wait: float = 1.0
    longest_wait: float = 30.0
    away: Callable[[], bool] = lambda: False
    """Whether the server is away for another model, so that a failure here is no request's own doing either."""

    def __post_init__(self) -> None:
        self.reason: Reason | None = None
        """Why it is open; None while it is closed."""
        self.last: AttemptError | None = None
        """The last failure."""
        self.since = math.nan
        """When the first call failed after the last answer."""
        self.until = -math.inf
        """When the next probe may start; the end of the wait that was asked for, where one was."""
        self.asked = False
        """Whether the server itself named ``until``."""
        self.probing = False
        self._opened = -math.inf
        self._failures = self._refusals = self._probes = 0
        self._who: set[int] = set()
        self._refused = math.nan
        """When the first 429 came after the last answer to a call that was not yet under way then."""

    @property
    def open(self) -> bool:
        return self.reason is not None

    def delay(self, now: float) -> float:
        """Seconds until one call may start: 0 for at once, infinity while one probes."""
        if not self.open:
            return 0.0
        return math.inf if self.probing else max(0.0, self.until - now)

    def patience_left(self, now: float) -> float:
        """Seconds until waiting is over: none for a wait that is longer, infinity while it is closed or one probes."""
        if not self.open or self.probing:
            return math.inf
        if self.asked and self.until - now > self.patience:
            return 0.0
        return max(0.0, self.since + self.patience - now)

    def given_up(self, now: float) -> AttemptError:
        """The failure that ends the run once the patience is over."""
        last = self.last or AttemptError("server")
        failure = AttemptError(last.kind, last.said, status=last.status, wait=last.wait)
        failure.waited = now - self.since
        return failure

    def answered(self, started: float) -> bool:
        """A call that had ``started`` was answered; whether that closed the circuit. One from before says nothing."""
        if self.open and started < self._opened:
            return False
        closed, refused, refusals = self.open, self._refused, self._refusals
        self.reset()
        if not closed and started < refused:  # what is under way when a limit sets in is answered all the same
            self._refused, self._refusals = refused, refusals
        return closed

    def reset(self) -> None:
        """Closed, and nothing counted."""
        self.reason = None
        self.since, self.asked, self.probing = math.nan, False, False
        self._failures = self._refusals = self._probes = 0
        self._who.clear()
        self._refused = math.nan

    def failed(self, now: float, request: int, failure: AttemptError, *, probe: bool, round_trip: float = 0.0) -> None:
        """A call failed in a way that may keep all others from an answer too; ``request`` tells it from others."""
        if math.isnan(self.since):
            self.since = now
        self.last = failure
        wait = failure.wait or 0.0
        if failure.kind == "limit":
            self._refusals += 1
            self._refused = now if math.isnan(self._refused) else self._refused
            long = now - self._refused > max(REFUSED_S, 1.5 * round_trip) and self._refusals >= REFUSED_AFTER
            if wait >= LONG_WAIT or long or (probe and self.open):
                self._opens(now, "limit", wait, probe)
        elif failure.outage:
            self._failures += 1
            self._who.add(request if failure.own else -self._failures)
            several = len(self._who) >= AWAY_AFTER and (not failure.own or self._failures >= OWN_AFTER)
            if several or (probe and self.open) or self.away():
                self._opens(now, "server", wait, probe)
        if probe:
            self.probing = False

    def started(self) -> bool:
        """A call starts; whether it is the one that probes."""
        self.probing = self.open
        return self.probing

    def left(self) -> None:
        """The probe ended in a way that says nothing: another may follow at once."""
        self.probing = False

    def wait_until(self, now: float, until: float, failure: AttemptError) -> None:
        """Another process was asked to wait until then."""
        if until > max(now, self.until):
            self.since = now if math.isnan(self.since) else self.since
            self.last = failure
            self._opens(now, "limit", until - now, False)

    def _opens(self, now: float, reason: Reason, wait: float, probe: bool) -> None:
        if not self.open:
            self._opened, self._probes = now, 0
        elif not probe and now + wait <= self.until:
            return  # it was under way when the circuit opened
        longest = min(LIMIT_WAIT, self.longest_wait) if reason == "limit" else self.longest_wait
        own = min(longest, self.first_wait * 2.0**self._probes)
        self._probes += 1
        self.reason, self.asked = reason, wait > own
        self.until = now + max(wait, own)
