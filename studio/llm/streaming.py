"""A reply piece by piece: a clean cut is told from an end, and leaving early stops the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from studio.chatml import well_formed
from studio.llm.answers import Finish, Tokens
from studio.llm.asking import Ask, Asker
from studio.llm.calls import CallLog
from studio.llm.failures import AttemptError
from studio.llm.paid import Paid
from studio.llm.thoughts import ThoughtFilter
from studio.llm.types import Completion, Request


class Streamed:
    """One streamed reply. ``total_timeout`` in seconds bounds it as a whole."""

    def __init__(self, asker: Asker, request: Request, log: CallLog | None, total_timeout: float) -> None:
        self._asker, self._request, self._log, self._timeout = asker, request, log, total_timeout
        self._parts: list[str] = []
        self._finish: Finish | None = None
        self._tokens: Tokens | None = None

    async def texts(self) -> AsyncGenerator[str, None]:
        """The text as it arrives, without thoughts. Raises :class:`AttemptError`, also for an end without a finish."""
        asker = self._asker
        (stream, entered), _, _ = await asker.admitted(
            Ask(self._request), "plain", asker.wire.open, stream_options={"include_usage": True}
        )
        gate, now = asker.endpoint.gate, asyncio.get_running_loop().time
        shown, half = ThoughtFilter(), ""
        try:
            async with stream, aclosing(asker.wire.pieces(stream)) as pieces:
                async for piece in pieces:
                    text, half = _whole(half + piece.text)
                    self._parts.append(text)
                    self._finish = piece.finish or self._finish
                    self._tokens = piece.tokens or self._tokens
                    if text := shown.feed(text):
                        yield text
                    if now() - entered > self._timeout:
                        raise AttemptError("timeout", f"the whole reply took more than {self._timeout:.0f} s")
            if self._finish is None:
                raise AttemptError("connection", "the reply broke off")
            self._parts.append(well_formed(half))
            if text := shown.feed(self._parts[-1]) + shown.end():
                yield text
        finally:
            gate.left()
            self._keep(now() - entered)

    def _keep(self, seconds: float) -> None:
        """Put what it took on record, under a key of its own: a stream is never answered from there."""
        if self._tokens is None:
            return
        asker = self._asker
        paid = Paid(self._log, f"stream-{uuid4().hex}", self._request.purpose, asker.model)
        usage = asker.usage(self._tokens, seconds)
        finish = self._finish or "dropped"
        paid.keep(Completion(text="".join(self._parts), model=asker.model, finish=finish, usage=usage))


def _whole(text: str) -> tuple[str, str]:
    """Whole characters, and half of one at the end: some servers cut an emoji in two."""
    half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    return well_formed(text.removesuffix(half)), half
