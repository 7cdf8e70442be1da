"""How near to ideal many generate -> judge chains run through OpenAIModel, against a server that takes 300 ms a call.

    python -m tests.bench.llm_chain

The server is a process of its own; its latency is spread evenly from 200 to 400 ms, since equal ones come in waves
that no real server makes. N workers take chains of two structured calls from one heap: ideal is ``calls * 0.3 s / N``.
"cold" starts with what the limits assume at first (16 at once), "warm" goes on with what they have learned. CPU is
milliseconds a call, in the client and in the server: where cores are shared, that and not the wall is steady.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
from pydantic import BaseModel

from studio.chatml import user
from studio.llm import ModelSettings, OpenAIModel, Request
from tests.llm.fake_server import FakeServer

MEAN_LATENCY = 0.3
CHAINS = 6
"""For each worker."""


class Turn(BaseModel):
    user: str
    assistant: str


class Marks(BaseModel):
    calm: int
    brief: int
    kind: int


def answer(body: dict[str, Any]) -> dict[str, Any]:
    if body["response_format"]["json_schema"]["name"] == "Marks":
        return {"calm": 2, "brief": 1, "kind": 2}
    return {"user": "Remind me to call Lucy. " * 4, "assistant": "I will remind you at eight. " * 10}


async def serve() -> None:
    async with FakeServer(answer, latency=lambda: random.uniform(0.2, 0.4)) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def chain(author: OpenAIModel, judge: OpenAIModel, name: str) -> None:
    turn = await author.structured(Request(purpose="author", messages=(user(f"Write {name}. " * 50),)), Turn)
    text = f"Judge {name}: {turn.value.assistant} " * 10
    await judge.structured(Request(purpose="judge", messages=(user(text),)), Marks)


async def run(url: str, at_once: int, server: psutil.Process) -> None:
    settings = ModelSettings(endpoint=url, max_concurrent=at_once)
    author, judge = OpenAIModel(settings, "fake"), OpenAIModel(settings, "fake")
    await chain(author, judge, "imports")

    async def worker(names: Iterator[str]) -> None:
        for name in names:
            await chain(author, judge, name)

    for state in ("cold", "warm"):
        names = iter([f"chain {index}" for index in range(at_once * CHAINS)])
        before = (time.perf_counter(), time.process_time(), sum(server.cpu_times()[:2]))
        await asyncio.gather(*(worker(names) for _ in range(at_once)))
        after = (time.perf_counter(), time.process_time(), sum(server.cpu_times()[:2]))
        wall, client_cpu, server_cpu = (end - start for start, end in zip(before, after, strict=True))
        calls, ideal = at_once * CHAINS * 2, CHAINS * 2 * MEAN_LATENCY
        figures = f"{ideal:7.2f} {wall:7.2f} {wall / ideal:12.2f} {1000 * client_cpu / calls:11.2f}"
        sys.stdout.write(f"{at_once:7} {state:>5} {calls:6} {figures} {1000 * server_cpu / calls:11.2f}\n")
    await author.close()
    await judge.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--at-once", type=int, nargs="+", default=[64, 256])
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, "-m", "tests.bench.llm_chain", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        sys.stdout.write("at once state  calls   ideal    wall wall / ideal  client CPU  server CPU\n")
        for at_once in chosen.at_once:
            asyncio.run(run(url, at_once, psutil.Process(server.pid)))
        server.stdin.close()


if __name__ == "__main__":
    main()
