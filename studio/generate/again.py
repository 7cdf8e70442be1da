"""Trying again within a run what the server failed: an outage costs no example.

A call that failed for the server's reasons has had its own retries by then. What it was for is set aside until the
server has answered something else, since one request that no server can answer must not hold up the rest; where
nothing else is left to ask, it is tried again after a wait. After so many tries it is left to the next run.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from studio.llm import Kind, ModelError
from studio.llm.concurrency import TICK_S

SERVERS: frozenset[Kind] = frozenset({"limit", "timeout", "connection", "server"})
"""Failures that say nothing of the request."""
WAITS_S = (2.0, 8.0, 30.0)
"""Before each of the tries, where nothing else is asked meanwhile."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Again(Generic[Item]):
    """What was set aside, by its id."""

    def __init__(self) -> None:
        self._failed: dict[str, Item] = {}
        self._ready: dict[str, Item] = {}
        self._tries: Counter[str] = Counter()

    def failed(self, id: str, item: Item, error: ModelError | None) -> bool:
        """A call for ``item`` failed; whether it is set aside, and comes up again."""
        if error is None or error.fatal or error.kind not in SERVERS or self._tries[id] >= len(WAITS_S):
            return False
        self._tries[id] += 1
        self._failed[id] = item
        return True

    def answered(self) -> None:
        """The server answered: what is set aside may be tried again now."""
        self._ready |= self._failed
        self._failed.clear()

    def ready(self) -> Item | None:
        """The next to be tried again."""
        return self._ready.pop(next(iter(self._ready))) if self._ready else None

    def last(self) -> tuple[Item, float] | None:
        """Where nothing else is to be done: one of which nobody knows whether the server would answer now, and after
        how many seconds to try it."""
        if not self._failed:
            return None
        id = next(iter(self._failed))
        return self._failed.pop(id), WAITS_S[self._tries[id] - 1]

    def take(
        self,
        new: Callable[[], Coroutine[Any, Any, Result] | None],
        again: Callable[[Item], Coroutine[Any, Any, Result]],
        under_way: int,
        stop: Callable[[], bool],
    ) -> Coroutine[Any, Any, Result] | None:
        """What to begin now: what may be tried ``again``, else something ``new``; while nothing is ``under_way`` also
        what was set aside, after a wait that ``stop`` ends. None where there is nothing."""
        if (item := self.ready()) is not None:
            return again(item)
        if (work := new()) is not None:
            return work
        if under_way or (last := self.last()) is None:
            return None
        return after(last[1], stop, partial(again, last[0]))

    def leave(self) -> list[Item]:
        """All that is still set aside; none of it comes up again."""
        left = [*self._ready.values(), *self._failed.values()]
        self._ready.clear()
        self._failed.clear()
        return left


async def after(seconds: float, stop: Callable[[], bool], work: Callable[[], Awaitable[Result]]) -> Result:
    """``work`` after a wait, which a stop ends."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not stop():  # noqa: ASYNC110 - a stop may come from a signal
        await asyncio.sleep(min(TICK_S, seconds))
    return await work()
