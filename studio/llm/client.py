"""The client: a model behind an OpenAI-compatible endpoint, remote or local, over TCP or a Unix socket.

Streaming: a reply that is cut off clean on the wire is told from one that ended, and leaving early stops the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from studio.chatml import well_formed
from studio.errors import UserError
from studio.llm.errors import AttemptError, as_model_error
from studio.llm.ledger import CallLog, Ledger, call_key
from studio.llm.response import Finish, ReasoningFilter, Tokens
from studio.llm.retry import Ask, Completions, RetryPolicy
from studio.llm.settings import ModelSettings
from studio.llm.structured import Check, Value, ask_until_good, check_schema, check_text, strict_schema
from studio.llm.types import Completion, Reply, Request, Structured


class OpenAIModel:
    """``model`` at the endpoint of ``settings``, as a :class:`studio.llm.types.ChatModel`.

    With a ``call_log`` each answer is on record before it is returned, a request that was answered before is answered
    from there without a call, and the budget of the settings holds. Give it none for models whose name changes its
    meaning, such as the base and tuned ones of the studio's own server. Close it when done.
    """

    def __init__(
        self,
        settings: ModelSettings,
        model: str,
        *,
        call_log: CallLog | None = None,
        retries: RetryPolicy | None = None,
        name: str | None = None,
    ) -> None:
        """``name`` is what is recorded, where the server knows the model by another name, such as ``base``."""
        self._settings, self._model, self._log = settings, name or model, call_log
        self._completions = Completions(settings, model, retries, name, call_log)

    @property
    def name(self) -> str:
        return self._model

    async def complete(self, request: Request) -> Completion:
        """The whole reply as text, without thoughts. One that was cut is returned as such (``finish``)."""
        text, completion = await self._asked(Ask(request), check_text)
        return completion.model_copy(update={"text": text})

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        """The reply as ``schema``, asked again a bounded number of times; its usage is that of all answers.

        Raises ModelError ``malformed`` if none is valid. A reply that was cut off never is.
        """
        value, completion = await self._asked(
            Ask(request, schema.__name__, strict_schema(schema)), check_schema(schema)
        )
        return Structured(value=value, completion=completion)

    async def _asked(self, ask: Ask, check: Check[Value]) -> tuple[Value, Completion]:
        """The first good answer; of equal requests under way one is sent."""
        settings, request = self._settings, ask.request
        key = call_key(settings, self._model, request, ask.schema)
        ledger = Ledger(self._log, key, request.purpose, self._model, retry_failed=settings.retry_failed)
        try:
            async with ledger.lock():
                return await ask_until_good(self._completions, ask, ledger, check)
        except AttemptError as failure:
            raise as_model_error(failure, settings, self._model) from None

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        """The reply's text as it arrives, without thoughts, but for those whose beginning the server keeps to itself.

        Raises ModelError ``connection`` if the stream ends without its proper end: what was yielded is then only a
        part. To leave early, close the iterator (``contextlib.aclosing``), which stops the server too. A stream is
        never answered from the record; what it took is put there where the server tells.
        """
        streamed = Streamed(self._completions, request, self._log)
        try:
            async with aclosing(streamed.texts()) as texts:
                async for text in texts:
                    yield text
        except AttemptError as failure:
            raise as_model_error(failure, self._settings, self._model) from None

    async def close(self) -> None:
        await self._completions.transport.close()


def author_model(settings: ModelSettings, call_log: CallLog | None = None) -> OpenAIModel:
    """The model that writes: the one that the studio serves for it, else ``model`` at the endpoint.

    Raises :class:`studio.errors.UserError` where no model is named, or the one to be served is not.
    """
    if settings.author_local is not None:
        served, name = settings.author_served, settings.author_local
        if served is None:
            raise UserError(f"no worker serves {name} yet", where="author", remedy="studio build or generate starts it")
        return OpenAIModel(served, served.model or name, call_log=call_log, name=name)
    if settings.model is None:
        raise UserError("no model is named to write", where="author", remedy="name one with --model or STUDIO_MODEL")
    return OpenAIModel(settings, settings.model, call_log=call_log)


class Streamed:
    """One streamed reply."""

    def __init__(self, completions: Completions, request: Request, log: CallLog | None) -> None:
        self._completions, self._request, self._log = completions, request, log
        self._parts: list[str] = []
        self._finish: Finish | None = None
        self._tokens: Tokens | None = None

    async def texts(self) -> AsyncGenerator[str, None]:
        """The text as it arrives, without thoughts. Raises :class:`AttemptError`, also for an end without a finish."""
        completions = self._completions
        deadline = completions.deadline()
        (stream, slot), _, _ = await completions.admitted(
            Ask(self._request), "plain", completions.transport.open, deadline, stream_options={"include_usage": True}
        )
        limiter, now = completions.endpoint.limiter, asyncio.get_running_loop().time
        shown, half = ReasoningFilter(), ""
        try:
            async with stream, aclosing(stream.pieces(slot.entered + deadline.left)) as pieces:
                async for piece in pieces:
                    text, half = _whole(half + piece.text)
                    self._parts.append(text)
                    self._finish = piece.finish or self._finish
                    self._tokens = piece.tokens or self._tokens
                    if text := shown.feed(text):
                        yield text
            if self._finish is None:
                raise AttemptError("connection", "the reply broke off")
            self._parts.append(well_formed(half))
            if text := shown.feed(self._parts[-1]) + shown.end():
                yield text
        except BaseException:
            limiter.left(slot)
            raise
        else:
            limiter.left_answered(slot)
        finally:
            self._keep(now() - slot.entered)

    def _keep(self, seconds: float) -> None:
        """Put what it took on record, under a key of its own: a stream is never answered from there."""
        if self._tokens is None:
            return
        completions = self._completions
        ledger = Ledger(self._log, f"stream-{uuid4().hex}", self._request.purpose, completions.model)
        usage = completions.usage(self._tokens, seconds)
        finish = self._finish or "dropped"
        ledger.keep_text(Completion(text="".join(self._parts), model=completions.model, finish=finish, usage=usage))


def _whole(text: str) -> tuple[str, str]:
    """Whole characters, and half of one at the end: some servers cut an emoji in two."""
    half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    return well_formed(text.removesuffix(half)), half
