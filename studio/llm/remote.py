"""A model behind an OpenAI-compatible endpoint, remote or local, over TCP or a Unix socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from studio.llm.asking import Ask, Asker
from studio.llm.calls import CallLog, call_key
from studio.llm.failures import AttemptError, as_model_error
from studio.llm.imports import load
from studio.llm.paid import Paid
from studio.llm.retry import Patience
from studio.llm.rounds import ask_until_good, check_schema, check_text
from studio.llm.schema import strict_schema
from studio.llm.settings import ModelSettings
from studio.llm.streaming import Streamed
from studio.llm.types import Completion, Reply, Request, Structured


class OpenAIModel:
    """``model`` at the endpoint of ``settings``, as a :class:`studio.llm.types.ChatModel`.

    With a ``call_log`` each answer is on record before it is returned, and a request that was answered before is
    answered from there without a call. Give it none for models whose name changes its meaning, such as the base and
    tuned ones of the studio's own server. Close it when done.
    """

    def __init__(
        self,
        settings: ModelSettings,
        model: str,
        *,
        call_log: CallLog | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._settings, self._model, self._log = settings, model, call_log
        self._asker = Asker(settings, model, patience or Patience())

    @property
    def name(self) -> str:
        return self._model

    async def complete(self, request: Request) -> Completion:
        """The whole reply as text, without thoughts. One that was cut is returned as such (``finish``)."""
        paid = Paid(self._log, call_key(self._settings, self._model, request), request.purpose, self._model)
        try:
            text, completion = await ask_until_good(self._asker, Ask(request), paid, check_text)
        except AttemptError as failure:
            raise as_model_error(failure, self._settings, self._model) from None
        return completion.model_copy(update={"text": text})

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        """The reply as ``schema``, asked again a bounded number of times; its usage is that of all answers.

        Raises ModelError ``malformed`` if none is valid. A reply that was cut off never is.
        """
        await load("openai")
        strict = strict_schema(schema)
        paid = Paid(self._log, call_key(self._settings, self._model, request, strict), request.purpose, self._model)
        try:
            value, completion = await ask_until_good(
                self._asker, Ask(request, schema.__name__, strict), paid, check_schema(schema)
            )
        except AttemptError as failure:
            raise as_model_error(failure, self._settings, self._model) from None
        return Structured(value=value, completion=completion)

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        """The reply's text as it arrives, without thoughts, but for those whose beginning the server keeps to itself.

        Raises ModelError ``connection`` if the stream ends without its proper end: what was yielded is then only a
        part. To leave early, close the iterator (``contextlib.aclosing``), which stops the server too. A stream is
        never answered from the record; what it took is put there where the server tells.
        """
        streamed = Streamed(self._asker, request, self._log, self._settings.total_timeout)
        try:
            async with aclosing(streamed.texts()) as texts:
                async for text in texts:
                    yield text
        except AttemptError as failure:
            raise as_model_error(failure, self._settings, self._model) from None

    async def close(self) -> None:
        await self._asker.wire.close()
