"""Bounded concurrency: many things under way at once, but never more than so many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

TICK_S = 0.2
"""How often it looks around while nothing comes back."""
GRACE_S = 10.0
"""What is under way when a stop is asked for gets this long to come back; then it is cancelled."""

Result = TypeVar("Result")


async def at_once(
    take: Callable[[], Coroutine[Any, Any, Result] | None],
    limit: int,
    stop: Callable[[], bool],
    *,
    grace: float = GRACE_S,
) -> AsyncGenerator[Result | None, None]:
    """Results of what ``take`` hands out, ``limit`` at once, as they come; None at every look around.

    It ends when ``take`` has nothing while nothing is under way, or after ``stop``. Results that come back together
    are given in the order of their start, so that a run that never waits is the same every time.
    """
    under_way: dict[asyncio.Task[Result], int] = {}
    started, deadline = 0, None
    try:
        while True:
            if deadline is None and stop():
                deadline = time.monotonic() + grace
            while deadline is None and len(under_way) < limit and (work := take()) is not None:
                under_way[asyncio.ensure_future(work)] = started
                started += 1
            if not under_way or (deadline is not None and time.monotonic() >= deadline):
                return
            done, _ = await asyncio.wait(under_way, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=under_way.__getitem__):
                del under_way[task]
                yield task.result()
            yield None
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
