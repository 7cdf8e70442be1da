"""The routes over a socket, without a model: what becomes of a reply that nobody waits for any more."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from studio.serve.worker.api import Api
from studio.serve.worker.batching import Asked, Batcher, Part, Row
from tests.serve.making import body, client


class Endless:
    """Stands in for the engine: a reply goes on until it is cancelled, or the test is over."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.over = threading.Event()

    def __call__(self, batch: Sequence[Row]) -> None:
        self.rows.extend(batch)
        while not all(row.over for row in batch) and not self.over.wait(0.005):
            for row in batch:
                row.tell(Part("word ", 1))


@asynccontextmanager
async def opened(engine: Endless) -> AsyncIterator[str]:
    """The path of a socket at which ``engine`` makes the replies."""
    batcher = Batcher(engine)
    runner = Api(("base",), lambda request: Asked(request.model, [1], 10), batcher).runner()
    await runner.setup()
    with tempfile.TemporaryDirectory(prefix="api") as folder:
        socket = str(Path(folder) / "s")
        await web.UnixSite(runner, socket).start()
        try:
            yield socket
        finally:
            engine.over.set()
            await batcher.close()
            await runner.cleanup()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reply_is_cancelled_once_its_client_has_left(stream: bool) -> None:
    engine = Endless()

    async def ask(session: Any) -> None:
        async with session.post("/v1/chat/completions", json=body(stream=stream)) as response:
            await response.read()

    async with opened(engine) as socket, client(socket) as session, asyncio.timeout(20):
        leaving = asyncio.create_task(ask(session))
        while not engine.rows:  # noqa: ASYNC110 - made in a thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not engine.rows[0].cancelled
        leaving.cancel()
        while not engine.rows[0].cancelled:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
