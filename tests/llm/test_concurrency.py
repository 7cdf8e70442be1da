"""Many at once, and how fast they come."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from studio.llm.concurrency import AT_FIRST, Chains, Concurrency, set_concurrency


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

    results = Chains(lambda: 2, lambda: False).results(take)
    found = []
    async for result in results:
        if result is not None:
            found.append(result)
        if len(found) == 3:
            break
    await results.aclose()
    assert found == [1, 2, 3] and cancelled == [0]


async def test_after_a_stop_nothing_new_begins_and_what_is_under_way_comes_back_in_its_own_time() -> None:
    begun, release, stop = [], asyncio.Event(), asyncio.Event()
    told: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        await release.wait()
        return number

    numbers = iter(range(10))
    results = []
    chains = Chains(lambda: 3, stop.is_set, on_stop=lambda: told.append(chains.under_way))
    async for result in chains.results(lambda: work(next(numbers))):
        if result is not None:
            results.append(result)
        elif chains.stopping and not release.is_set():
            assert chains.under_way == 3
            release.set()
        stop.set()
    assert begun == results == [0, 1, 2]
    assert told == [3], "said once, with how many are awaited"
    assert chains.under_way == 0


async def test_a_second_stop_cancels_what_is_under_way() -> None:
    cancelled: list[int] = []

    async def work(number: int) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    numbers, stopped = iter(range(9)), iter([False, True, True])
    chains = Chains(lambda: 2, lambda: next(stopped), cancel=lambda: True)
    found = [result async for result in chains.results(lambda: work(next(numbers)))]
    assert all(result is None for result in found)
    assert cancelled == [0, 1]


async def test_how_many_are_under_way_follows_what_is_said_meanwhile(tmp_path: Path) -> None:
    at_once, most = 0, 0
    peaks: list[int] = []
    concurrency = Concurrency(2, tmp_path)

    async def work() -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return 0

    left = iter(range(400))
    results = Chains(concurrency, lambda: False).results(lambda: work() if next(left, None) is not None else None)
    async for _ in results:
        if not peaks and most == 2:
            peaks.append(most)
            set_concurrency(tmp_path, 7)
    assert peaks == [2] and most == 7


def test_auto_begins_small_and_a_control_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    async def asked(chains: int | None) -> int:
        return Concurrency(chains, tmp_path)()

    assert asyncio.run(asked(None)) == AT_FIRST
    (tmp_path / "concurrency").write_bytes(b"\xffmany")
    assert asyncio.run(asked(5)) == 5
    set_concurrency(tmp_path, 10**9)
    assert asyncio.run(asked(5)) == 1024
    set_concurrency(tmp_path, None)
    assert asyncio.run(asked(5)) == AT_FIRST


@pytest.mark.parametrize("where", ["in one of them", "in taking one", "in whoever reads"])
async def test_after_a_failure_nothing_new_begins_and_what_is_under_way_comes_back_before_it_is_raised(
    where: str,
) -> None:
    taken: list[int] = []
    back: list[int] = []
    told: list[int] = []
    release = asyncio.Event()

    async def work(number: int) -> int:
        if number == 3:
            if where == "in one of them":
                raise RuntimeError("a fault")
            return number
        await release.wait()
        return number

    def take() -> Coroutine[Any, Any, int]:
        if len(taken) == 4:
            raise RuntimeError("a fault")
        taken.append(len(taken))
        return work(taken[-1])

    at_once = 5 if where == "in taking one" else 4
    chains = Chains(lambda: at_once, lambda: False, on_stop=lambda: told.append(chains.under_way))

    async def read() -> None:
        async for result in chains.results(take):
            if result is not None:
                back.append(result)
            if result == 3 and where == "in whoever reads":
                chains.fail(RuntimeError("a fault"))
                chains.fail(RuntimeError("another, which is not the first"))
            if chains.stopping:
                release.set()

    with pytest.raises(RuntimeError, match="a fault"):
        await read()
    assert taken == [0, 1, 2, 3] and len(told) == 1
    assert sorted(back) == ([0, 1, 2] if where == "in one of them" else [0, 1, 2, 3])


async def test_a_second_stop_cancels_what_a_failure_waits_for() -> None:
    async def work() -> int:
        await asyncio.Event().wait()
        return 0

    chains = Chains(lambda: 2, lambda: False, cancel=lambda: True)

    async def read() -> None:
        async for _ in chains.results(work):
            chains.fail(RuntimeError("a fault"))

    with pytest.raises(RuntimeError, match="a fault"):
        await read()
    assert asyncio.all_tasks() == {asyncio.current_task()}
