"""Requests that arrive together are answered together: a queue, a short wait for company, one batch after another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence

from studio.serve.worker.rows import Asked, Part, Row

GATHER_S = 0.010
"""How long the first request waits for others. Both panes of a chat arrive within a millisecond or two."""
MAX_ROWS = 32

Run = Callable[[Sequence[Row]], None]


class Batcher:
    """Feeds ``run`` with batches of up to ``MAX_ROWS`` rows, in the order in which they came.

    ``run`` blocks and is called in a thread; replies come out of :meth:`ask` while it works.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: asyncio.Queue[_Reply] = asyncio.Queue()
        self._working = asyncio.create_task(self._work())
        self._batch: list[_Reply] = []

    async def ask(self, asked: Asked) -> AsyncGenerator[Part]:
        """The reply's parts as they come, the last one with its ``finish``. Leaving early cancels the reply.

        Raises whatever made its batch fail.
        """
        reply = _Reply(asked)
        self._waiting.put_nowait(reply)
        try:
            while True:
                part = await reply.parts.get()
                if isinstance(part, BaseException):
                    raise part
                yield part
                if part.finish:
                    return
        finally:
            reply.row.cancelled = True

    async def close(self) -> None:
        """End the replies that are being made, and the work."""
        for reply in self._batch:
            reply.row.cancelled = True
        self._working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._working

    async def _work(self) -> None:
        while True:
            self._batch = batch = await self._gather()
            if not batch:
                continue
            try:
                await asyncio.shield(asyncio.to_thread(self._run, [reply.row for reply in batch]))
            except Exception as error:
                for reply in batch:
                    reply.parts.put_nowait(error)

    async def _gather(self) -> list[_Reply]:
        """The oldest waiting rows that somebody still wants."""
        batch = [await self._waiting.get()]
        await asyncio.sleep(GATHER_S)
        while len(batch) < MAX_ROWS and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        return [reply for reply in batch if not reply.row.cancelled]


class _Reply:
    """A row and the way of its parts from the generating thread into the loop."""

    def __init__(self, asked: Asked) -> None:
        self.parts: asyncio.Queue[Part | BaseException] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.row = Row(asked, self._tell)

    def _tell(self, part: Part) -> None:
        self._loop.call_soon_threadsafe(self.parts.put_nowait, part)
