"""Requests that arrive together are answered together: a queue, a short wait for company, one batch after another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence

from studio.serve.worker.rows import Asked, Part, Row

GATHER_S = 0.010
"""How long the first request waits for others. Both panes of a chat arrive within a millisecond or two."""
MAX_ROWS = 64
"""A step of 64 rows takes twice the time of one of 16."""

Run = Callable[[Sequence[Row]], None]


class Batcher:
    """Feeds ``run`` with batches of up to ``MAX_ROWS`` rows: the one that came first, and those with prompts of about
    its length, which leaves little padding.

    ``run`` blocks and is called in a thread; replies come out of :meth:`ask` while it works.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: list[_Reply] = []
        self._came = asyncio.Event()
        self._working = asyncio.create_task(self._work())
        self._batch: list[_Reply] = []

    async def ask(self, asked: Asked) -> AsyncGenerator[Part]:
        """The reply's parts as they come, the last one with its ``finish``. Leaving early cancels the reply.

        Raises whatever made its batch fail.
        """
        reply = _Reply(asked)
        self._waiting.append(reply)
        self._came.set()
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
        """The next rows, of those that somebody still wants."""
        await self._came.wait()
        await asyncio.sleep(GATHER_S)
        wanted = [reply for reply in self._waiting if not reply.row.cancelled]
        batch = sorted(wanted, key=lambda reply: abs(reply.length - wanted[0].length))[:MAX_ROWS]
        self._waiting = [reply for reply in wanted if reply not in batch]
        if not self._waiting:
            self._came.clear()
        return batch


class _Reply:
    """A row and the way of its parts from the generating thread into the loop."""

    def __init__(self, asked: Asked) -> None:
        self.parts: asyncio.Queue[Part | BaseException] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.row = Row(asked, self._tell)
        self.length = len(asked.prompt)

    def _tell(self, part: Part) -> None:
        self._loop.call_soon_threadsafe(self.parts.put_nowait, part)
