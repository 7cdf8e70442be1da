"""Requests that come together are made together; one that is given up ends early and holds up nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from studio.serve.worker.batching import MAX_ROWS, Asked, Batcher, Part, Row


class Script:
    """Stands in for the engine: remembers its batches, and makes each reply of one part."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()

    def __call__(self, rows: Sequence[Row]) -> None:
        self.batches.append(len(rows))
        self.began.set()
        self.gate.wait(10)
        for row in rows:
            if not row.over:
                row.tell(Part(row.asked.model, 1, "stop"))


def asked(name: str = "base") -> Asked:
    return Asked(name, [1], 10)


async def reply(batcher: Batcher, name: str = "base") -> str:
    async with aclosing(batcher.ask(asked(name))) as parts:
        return "".join([part.text async for part in parts])


async def test_what_comes_together_is_one_batch_and_everybody_gets_their_own() -> None:
    script = Script()
    batcher = Batcher(script)
    assert await asyncio.gather(*(reply(batcher, name) for name in "abc")) == ["a", "b", "c"]
    assert script.batches == [3]
    await batcher.close()


async def test_what_comes_while_a_batch_is_made_goes_into_the_next_one() -> None:
    script = Script()
    script.gate.clear()
    batcher = Batcher(script)
    first = asyncio.create_task(reply(batcher))
    await asyncio.to_thread(script.began.wait, 10)
    others = [asyncio.create_task(reply(batcher)) for _ in range(MAX_ROWS + 1)]
    await asyncio.sleep(0)
    script.gate.set()
    await asyncio.gather(first, *others)
    assert script.batches == [1, MAX_ROWS, 1]
    await batcher.close()


async def test_a_batch_is_of_prompts_of_like_length_and_the_first_to_come_is_in_it() -> None:
    script, lengths = Script(), list[list[int]]()

    def run(rows: Sequence[Row]) -> None:
        lengths.append(sorted(len(row.asked.prompt) for row in rows))
        script(rows)

    batcher = Batcher(run)

    async def ask(length: int) -> None:
        async for _ in batcher.ask(Asked("base", [1] * length, 10)):
            pass

    await asyncio.gather(*(ask(length) for length in [90, *range(1, 41), *range(61, 101)]))
    assert len(lengths) == 2 and len(lengths[0]) == MAX_ROWS
    assert lengths[0] == sorted([90, *range(61, 101), *range(18, 41)]) and lengths[1] == list(range(1, 18))
    await batcher.close()


async def test_leaving_cancels_the_row() -> None:
    rows: list[Row] = []
    told = threading.Event()

    def endless(batch: Sequence[Row]) -> None:
        rows.extend(batch)
        while not all(row.over for row in batch):
            for row in batch:
                row.tell(Part("word ", 1))
            told.wait(0.001)

    batcher = Batcher(endless)
    parts = batcher.ask(asked())
    assert (await anext(parts)).text == "word "
    await parts.aclose()
    assert rows[0].cancelled
    await batcher.close()


async def test_one_who_left_before_the_batch_began_is_not_in_it() -> None:
    script = Script()
    script.gate.clear()
    batcher = Batcher(script)
    first = asyncio.create_task(reply(batcher))
    await asyncio.to_thread(script.began.wait, 10)
    gone, stays = asyncio.create_task(reply(batcher)), asyncio.create_task(reply(batcher))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    script.gate.set()
    await asyncio.gather(first, stays)
    assert script.batches == [1, 1]
    await batcher.close()


async def test_a_batch_that_fails_fails_its_rows_and_not_the_next_ones() -> None:
    failing = [True]

    def run(rows: Sequence[Row]) -> None:
        if failing.pop() if failing else False:
            raise MemoryError
        rows[0].tell(Part("well", 1, "stop"))

    batcher = Batcher(run)
    with pytest.raises(MemoryError):
        await reply(batcher)
    assert await reply(batcher) == "well"
    await batcher.close()
