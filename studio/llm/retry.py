"""Retries, where they can help, without holding a slot of the rate limit while waiting."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from studio.llm.errors import AttemptError
from studio.llm.rate_limit import Limiter, Place

Result = TypeVar("Result")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long one call is tried again. Seconds."""

    tries: int = 4
    """Attempts in all that may end in a 5xx or a broken connection."""
    slow_tries: int = 2
    """Attempts in all that may end in a timeout, which are dear: the server may have done the work."""
    limited_tries: int = 10
    """Attempts in all that may end in a 429."""
    first_wait: float = 0.5
    longest_wait: float = 8.0
    longest_limit_wait: float = 120.0
    """A 429 that says to come back later than this is final: it is a quota of the day, not a rate."""

    def wait(self, failure: AttemptError, attempt: int, draw: random.Random) -> float:
        """Seconds before the next attempt: what the server said, spread so that all do not come back at once."""
        if failure.wait is not None:
            return failure.wait * draw.uniform(1, 1.25)
        return min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)) * draw.uniform(0.75, 1.25)

    def final(self, failure: AttemptError, attempt: int) -> bool:
        """Whether ``failure``, the ``attempt``-th of its kind (from 1), is the end."""
        if not failure.again or (failure.wait or 0.0) > self.longest_limit_wait:
            return True
        most = {"limit": self.limited_tries, "timeout": self.slow_tries}.get(failure.kind, self.tries)
        return attempt >= most


async def with_retries(
    send: Callable[[], Awaitable[Result]], limiter: Limiter, place: Place, policy: RetryPolicy, draw: random.Random
) -> tuple[Result, float]:
    """Send within the rate limit until it goes well; the result, and when its slot was entered.

    The slot of the attempt that went well is still held: the caller gives it back with ``limiter.left_answered``
    or ``limiter.left``. Raises the :class:`AttemptError` that was final.
    """
    attempts: dict[str, int] = {}
    while True:
        entered = await limiter.enter(place)
        try:
            return await send(), entered
        except AttemptError as failure:
            if failure.kind == "limit":
                limiter.left_refused(entered, failure.wait)
            else:
                limiter.left()
            attempts[failure.kind] = attempt = attempts.get(failure.kind, 0) + 1
            if policy.final(failure, attempt):
                raise
            wait = policy.wait(failure, attempt, draw)
        except BaseException:
            limiter.left()
            raise
        await asyncio.sleep(wait)
