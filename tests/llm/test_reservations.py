"""What several processes of a workspace reserve counts for each of them; what a dead one reserved does not."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from studio.llm.reservations import FOLDER, LOCK, Reservations, reservations_at
from studio.store import ExampleStore
from tests.llm.fake_server import FakeServer
from tests.llm.test_budget import ask_many

ASKER = """
import asyncio, sys
from pathlib import Path
from studio.llm import ModelError
from studio.store import ExampleStore
from tests.llm.helpers import asked, model_at
from tests.llm.test_budget import held_to

class Server:
    url = sys.argv[1]

async def main(path, usd, start, number):
    async with model_at(Server, log=ExampleStore(Path(path)), settings=held_to(float(usd))) as model:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        requests = (asked(f"Number {one}?", max_tokens=10) for one in range(int(start), int(start) + int(number)))
        ended = await asyncio.gather(*map(model.complete, requests), return_exceptions=True)
    kinds = [one.kind if isinstance(one, ModelError) else "answered" for one in ended]
    print(kinds.count("answered"), kinds.count("budget"))

asyncio.run(main(*sys.argv[2:]))
"""
LONGEST = "one two three four five six seven eight nine ten"
"""Ten cents, as much as an answer can cost."""


@asynccontextmanager
async def asker(server: FakeServer, *args: Any) -> AsyncIterator[Process]:
    """A process that asks: the record, the budget, the number of its first request, and how many."""
    command = (sys.executable, "-c", ASKER, server.url, *map(str, args))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def go(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")


async def counted(process: Process) -> list[int]:
    """How many of its requests were answered, and how many refused for the budget."""
    assert process.stdout is not None
    return [int(one) for one in (await asyncio.wait_for(process.stdout.read(), 60)).split()]


async def test_two_processes_together_never_spend_more_than_the_budget(tmp_path: Path) -> None:
    store, enough = ExampleStore(tmp_path / "examples.db"), asyncio.Event()

    async def answer(body: dict[str, Any]) -> str:
        if len(server.requests) == 5:
            await asyncio.sleep(0.5)  # what is too much would be here by then
            enough.set()
        await enough.wait()
        return LONGEST

    async with FakeServer(answer) as server:
        first, second = asker(server, store.path, 0.55, 0, 40), asker(server, store.path, 0.55, 100, 40)
        async with first as one, second as two:
            go(one)
            go(two)
            ended = [await counted(one), await counted(two)]
    answered, refused = (sum(lot) for lot in zip(*ended, strict=True))
    assert answered == len(server.requests) == store.spent().calls == 5 and refused == 80 - 5
    assert round(store.spent().cost_usd, 6) == 0.5, "a sixth answer would not fit"


async def test_what_a_killed_process_had_reserved_is_free_again(tmp_path: Path) -> None:
    store, never = ExampleStore(tmp_path / "examples.db"), asyncio.Event()

    async def answer(body: dict[str, Any]) -> str:
        if "Number 7" not in body["messages"][-1]["content"]:
            await never.wait()
        return LONGEST

    async with FakeServer(answer) as server, asker(server, store.path, 0.1, 0, 1) as process:
        go(process)
        await server.reached.wait()
        reserved = reservations_at(tmp_path)
        with reserved.deciding() as usd:
            assert usd is not None and 0.09 < usd <= 0.1
        waiting = asyncio.ensure_future(ask_many(server, store, 0.1, 1, start=7))
        await asyncio.sleep(0)
        os.kill(process.pid, signal.SIGKILL)
        (answered,) = await asyncio.wait_for(waiting, 20)
    assert answered.text == LONGEST and len(server.requests) == 2
    assert len([*(tmp_path / FOLDER).iterdir()]) == 2, "the lock, and one of this process"


def test_records_of_one_process_share_what_they_reserve_and_a_deleted_folder_is_made_anew(tmp_path: Path) -> None:
    here = reservations_at(tmp_path)
    assert reservations_at(tmp_path) is here and reservations_at(None) is not reservations_at(None)
    other = Reservations(tmp_path / FOLDER)  # as in another process
    for one in (here, other):
        with one.deciding() as usd:
            assert usd == (0.0 if one is here else 1.0)
            one.add(1.0)
    with here.deciding() as usd, other.deciding() as meanwhile:
        assert usd == 2.0 and meanwhile is None
    other.give_back(1.0)
    for file in (tmp_path / FOLDER).iterdir():
        file.unlink()
    (tmp_path / FOLDER).rmdir()
    for one in (other, here):
        with one.deciding() as usd:
            assert usd == 1.0 if one is here else usd is not None
    with other.deciding() as usd:
        assert usd == 1.0 and (tmp_path / FOLDER / LOCK).exists()


def test_where_the_folder_cannot_be_written_the_process_counts_its_own(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    here = Reservations(tmp_path / FOLDER)
    with here.deciding() as usd:
        assert usd == 0.0
        here.add(0.5)
    with here.deciding() as usd:
        assert usd == 0.5
