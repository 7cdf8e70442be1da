"""How much of an endpoint's limit is used, and how many calls are wasted on 429s, over HTTP on loopback.

    python -m tests.bench.llm_limits

The server, a process of its own, takes about 300 ms a call. It allows 600 calls a minute (a bucket of 10) with and
without saying so in its headers, or 32 calls at once; then everything is refused for a while (``burst``). 64 callers
ask without a pause for ``--seconds``. "share" is of what the limit allows in that time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from typing import Any

from aiohttp import web

from studio.chatml import user
from studio.llm import ModelError, ModelSettings, OpenAIModel, Request, list_models
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Fault, limited

RATE, BUCKET, AT_ONCE, LATENCY, CALLERS = 10.0, 10.0, 32, 0.3, 64
RULES = ("headers", "no headers", "at once", "burst")


class LimitedServer(FakeServer):
    """Refuses by ``rule``; its list of models tells how many calls it answered and refused."""

    def __init__(self, rule: str) -> None:
        named = {"x-ratelimit-limit-requests": f"{60 * RATE:.0f}"} if rule == "headers" else {}
        latency = lambda: random.uniform(LATENCY - 0.1, LATENCY + 0.1)  # noqa: E731
        super().__init__(lambda body: "ok", latency=latency, headers_out=named, every=self._rule)
        self.rule, self.began, self.refused, self.open = rule, time.monotonic(), 0, 0
        self.bucket, self.filled = BUCKET, self.began

    def _rule(self, body: dict[str, Any]) -> Fault | None:
        now = time.monotonic()
        if self.rule == "at once":
            refuse = self._at_once > AT_ONCE
        elif self.rule == "burst":
            refuse = 10 <= now - self.began < 20
        else:
            self.bucket = min(BUCKET, self.bucket + (now - self.filled) * RATE)
            self.filled, refuse = now, self.bucket < 1
            self.bucket -= not refuse
        self.refused += refuse
        return limited() if refuse else None

    async def _list(self, request: web.Request) -> web.Response:
        names = (f"{self.answered}", f"{self.refused}")
        return web.json_response({"data": [{"id": name} for name in names]})


async def serve(rule: str) -> None:
    async with LimitedServer(rule) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def ask(url: str, seconds: float) -> list[float]:
    """When each answer came, in seconds."""
    model, began, came = OpenAIModel(ModelSettings(endpoint=url), "fake"), time.monotonic(), []

    async def caller(number: int) -> None:
        asked = 0
        while time.monotonic() - began < seconds:
            asked += 1
            try:
                await model.complete(Request(purpose="author", messages=(user(f"{number} {asked}"),)))
            except ModelError as error:
                sys.stdout.write(f"failed: {error}\n")
            else:
                came.append(time.monotonic() - began)

    callers = [asyncio.create_task(caller(number)) for number in range(CALLERS)]
    await asyncio.wait(callers, timeout=seconds)
    for one in callers:
        one.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await model.close()
    return came


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--serve", help=argparse.SUPPRESS)
    options.add_argument("--seconds", type=float, default=40.0)
    options.add_argument("--rules", nargs="+", choices=RULES, default=RULES)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
        return
    for rule in chosen.rules:
        command = [sys.executable, "-m", "tests.bench.llm_limits", "--serve", rule]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            cpu = time.process_time()
            came = asyncio.run(ask(url, chosen.seconds))
            cpu = time.process_time() - cpu
            answered, refused = map(int, list_models(ModelSettings(endpoint=url)))
            server.stdin.close()
        allowed = {"at once": AT_ONCE / LATENCY * chosen.seconds, "burst": CALLERS / LATENCY * (chosen.seconds - 10)}
        share = len(came) / allowed.get(rule, BUCKET + RATE * chosen.seconds)
        wasted = refused / max(1, answered + refused)
        sys.stdout.write(f"{rule:<11} {len(came):5} answers, share {share:4.0%}, wasted {refused} ({wasted:.1%})")
        sys.stdout.write(f", {1000 * cpu / max(1, len(came)):.2f} ms of CPU an answer\n")
        if rule == "burst":
            every = [sum(second <= at < second + 2 for at in came) for second in range(0, int(chosen.seconds), 2)]
            sys.stdout.write(f"            answers in each 2 s: {every}\n")


if __name__ == "__main__":
    main()
