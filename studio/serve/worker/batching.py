"""Rows of a batch, and the queue that makes batches: requests that arrive together are answered together.

A row is one reply in the making: what is asked of it, and how its text comes out token by token.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tokenizers.decoders import DecodeStream

GATHER_S = 0.010
"""How long the first request waits for others. Both panes of a chat arrive within a millisecond or two."""
MAX_ROWS = 64
"""A step of 64 rows takes twice the time of one of 16."""

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Asked:
    """One row of a batch. ``model`` is ``base`` or ``tuned``; ``temperature`` 0 takes the likeliest token."""

    model: str
    prompt: list[int]
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What came out since the last part. ``finish`` is set on the last one; ``tokens`` counts the reply so far."""

    text: str
    tokens: int
    finish: Finish | None = None


@dataclass
class Row:
    """A reply while it is made. ``tell`` is called in the generating thread with every part.

    Setting ``cancelled``, from any thread, ends it at the next token.
    """

    asked: Asked
    tell: Callable[[Part], None]
    cancelled: bool = False
    tokens: int = 0
    finish: Finish | None = None
    _decoder: DecodeStream = field(default_factory=lambda: DecodeStream(skip_special_tokens=True))
    _held: str = ""
    """Text that may turn out to be the beginning of a stop string."""

    @property
    def over(self) -> bool:
        return self.cancelled or self.finish is not None

    def take(self, token: int, ends: frozenset[int], tokenizer: Any) -> None:
        """The next token: tells its text, or the end of the reply. ``tokenizer`` is of the tokenizers library."""
        if self.over:
            return
        if token in ends:
            self._end("stop")
            return
        self.tokens += 1
        self._held += self._decoder.step(tokenizer, token) or ""
        cut = min((at for stop in self.asked.stop if (at := self._held.find(stop)) >= 0), default=None)
        if cut is not None:
            self._held = self._held[:cut]
            self._end("stop")
        elif self.tokens >= self.asked.max_tokens:
            self._end("length")
        else:
            keep = max((_overlap(self._held, stop) for stop in self.asked.stop), default=0)
            at = len(self._held) - keep
            ready, self._held = self._held[:at], self._held[at:]
            if ready:
                self.tell(Part(ready, self.tokens))

    def _end(self, finish: Finish) -> None:
        self.finish = finish
        self.tell(Part(self._held, self.tokens, finish))


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``stop``."""
    return next((size for size in range(min(len(text), len(stop)), 0, -1) if text.endswith(stop[:size])), 0)


class Batcher:
    """Feeds ``run`` with batches of up to ``MAX_ROWS`` rows: the one that came first, and those with prompts of about
    its length, which leaves little padding.

    ``run`` blocks and is called in a thread; replies come out of :meth:`ask` while it works.
    """

    def __init__(self, run: Callable[[Sequence[Row]], None]) -> None:
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
