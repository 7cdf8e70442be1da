"""What the tests of this room share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from studio.calls import CallRecord, Spent
from studio.chatml import system, user
from studio.llm import CallLog, ModelSettings, OpenAIModel, Request, Sampling
from studio.llm.retry import RetryPolicy
from studio.llm.types import Purpose
from tests.llm.fake_server import FakeServer

QUICK = RetryPolicy(first_wait=0.01, longest_wait=0.02, patience=0.0)
"""Tried again at once; a server that is away ends the call."""


class Mark(BaseModel):
    """Two required keys, as a judge's schema has one a trait."""

    calm: Literal[0, 1, 2]
    brief: Literal[0, 1, 2]


GOOD: dict[str, Any] = {"calm": 2, "brief": 1}


def asked(text: str = "How was it?", purpose: Purpose = "judge", **sampling: Any) -> Request:
    return Request(purpose=purpose, messages=(system("You judge."), user(text)), sampling=Sampling(**sampling))


async def until(condition: Callable[[], object]) -> None:
    """Wait for a state, not for a time."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.002)


@asynccontextmanager
async def model_at(
    server: FakeServer,
    *,
    log: CallLog | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
    retries: RetryPolicy = QUICK,
) -> AsyncIterator[OpenAIModel]:
    """The server's model, with little patience; ``settings`` are more fields of :class:`ModelSettings`."""
    model = OpenAIModel(ModelSettings(endpoint=server.url, **settings), "fake", call_log=log, retries=retries)
    try:
        yield model
    finally:
        await model.close()


@contextmanager
def serving(server: FakeServer) -> Iterator[FakeServer]:
    """The server in a thread of its own, for what blocks this one: commands."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class MemoryLog:
    """A record of calls that lasts as long as the test."""

    path: Path | None = None

    def __init__(self) -> None:
        self.calls: dict[str, CallRecord] = {}

    def call(self, key: str) -> CallRecord | None:
        return self.calls.get(key)

    def add_calls(self, records: Sequence[CallRecord], *, wait: bool = True) -> bool:
        self.calls |= {record.key: record for record in records}
        return True

    def spent(self) -> Spent:
        costs = [call.cost_usd for call in self.calls.values()]
        return Spent(calls=len(costs), unpriced=costs.count(None), cost_usd=sum(cost or 0.0 for cost in costs))
