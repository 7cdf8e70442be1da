"""Many at once, and how fast they come."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from studio.generate.concurrency import at_once
from studio.generate.progress import Meter


async def test_results_come_as_they_are_there_and_the_rest_is_cancelled_when_the_reader_leaves() -> None:
    never, cancelled = asyncio.Event(), []

    async def work(number: int) -> int:
        try:
            if number == 0:
                await never.wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    numbers = iter(range(4))

    def take() -> Coroutine[Any, Any, int] | None:
        number = next(numbers, None)
        return None if number is None else work(number)

    results = at_once(take, 2, lambda: False)
    found = []
    async for result in results:
        if result is not None:
            found.append(result)
        if len(found) == 3:
            break
    await results.aclose()
    assert found == [1, 2, 3] and cancelled == [0]


async def test_after_a_stop_nothing_new_begins_and_what_is_under_way_has_its_grace() -> None:
    begun, release, stop = [], asyncio.Event(), asyncio.Event()

    async def work(number: int) -> int:
        begun.append(number)
        await release.wait()
        return number

    numbers = iter(range(10))
    results = []
    async for result in at_once(lambda: work(next(numbers)), 3, stop.is_set):
        if result is None:
            stop.set()
            release.set()
        else:
            results.append(result)
    assert begun == results == [0, 1, 2]


async def test_what_does_not_come_back_in_time_after_a_stop_is_cancelled() -> None:
    async def work() -> int:
        await asyncio.Event().wait()
        return 0

    stopped = iter([False, True])
    found = [r async for r in at_once(work, 2, lambda: next(stopped, True), grace=0.0)]
    assert all(result is None for result in found)


async def test_an_exception_in_one_ends_all() -> None:
    async def work() -> int:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        _ = [result async for result in at_once(work, 2, lambda: False)]


def test_a_meter_tells_at_most_twice_a_second_and_estimates_by_what_is_accepted() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    told = 0
    for step in range(1, 101):
        now = step * 0.1
        meter.landed(step % 2 == 0)
        told += meter.due()
    assert told == 20
    assert meter.rate() == pytest.approx(10)
    assert meter.eta_s(100) == pytest.approx(20)
    now = 100.0
    assert meter.rate() == 0 and meter.eta_s(100) is None
