"""One chat completion: within the rate limit, tried again, with the parameters and the format that the server takes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from studio.chatml import Messages
from studio.llm.capabilities import Capabilities, Format, response_format, with_schema
from studio.llm.errors import AttemptError
from studio.llm.prices import cost_usd, load_prices
from studio.llm.rate_limit import Limiter, RateLimit
from studio.llm.response import Tokens
from studio.llm.retry import RetryPolicy, with_retries
from studio.llm.settings import ModelSettings
from studio.llm.transport import Transport
from studio.llm.types import Completion, Request, Usage

Result = TypeVar("Result")


class Endpoint:
    """What all callers of one endpoint and model share in one event loop: the limiter, and what was learned."""

    def __init__(self, settings: ModelSettings) -> None:
        self.limiter = Limiter(RateLimit(settings.max_concurrent))
        self.capabilities = Capabilities(settings)


_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Endpoint]] = WeakKeyDictionary()


def shared_endpoint(settings: ModelSettings, model: str) -> Endpoint:
    """The one for this place and model in the running loop. An author and a judge that are one model share it,
    so that the judge's calls go first. The newest settings say how many calls there may be at most."""
    endpoints = _SHARED.setdefault(asyncio.get_running_loop(), {})
    endpoint = endpoints.setdefault((settings.place, model), Endpoint(settings))
    endpoint.limiter.limit.most = settings.max_concurrent
    return endpoint


@dataclass(frozen=True)
class Ask:
    """What to ask: a request, the schema of its answer (None for free text), and the correction of a bad one."""

    request: Request
    name: str = ""
    schema: Mapping[str, Any] | None = None
    correction: Messages = ()

    def messages(self, used: Format) -> Messages:
        """The turns to send. The schema is told in words where nothing else carries it, and with each correction."""
        if self.schema is None or (used == "json_schema" and not self.correction):
            return self.request.messages
        return (*with_schema(self.request.messages, self.schema), *self.correction)

    def format(self, used: Format) -> dict[str, Any]:
        return {} if self.schema is None else response_format(used, self.name, self.schema)


@dataclass(frozen=True)
class Answered:
    """An answer, the format it was asked in, and the room it was given."""

    completion: Completion
    used: Format
    room: int


class Completions:
    """Asks one model at one endpoint, and records it as ``name``. Raises :class:`AttemptError`."""

    def __init__(self, settings: ModelSettings, model: str, policy: RetryPolicy, name: str | None = None) -> None:
        self._settings, self._asked_as, self.model, self._policy = settings, model, name or model, policy
        self.transport = Transport(settings)
        self._draw = random.Random()

    @property
    def endpoint(self) -> Endpoint:
        return shared_endpoint(self._settings, self.model)

    async def answer(self, ask: Ask, used: Format = "plain") -> Answered:
        """One whole reply, priced. It may come in a looser format than ``used``, if the server refuses that."""
        await load_prices(self._settings)
        limiter = self.endpoint.limiter
        (answer, entered), used, room = await self.admitted(ask, used, self.transport.ask)
        seconds = limiter.left_answered(entered)
        if answer.a_minute is not None:
            limiter.limit.name_rate(answer.a_minute)
        completion = Completion(
            text=answer.text, model=self.model, finish=answer.finish, usage=self.usage(answer.tokens, seconds)
        )
        return Answered(completion, used, room)

    def usage(self, tokens: Tokens, seconds: float) -> Usage:
        return Usage(
            prompt_tokens=tokens.prompt_tokens,
            completion_tokens=tokens.completion_tokens,
            cost_usd=cost_usd(self._settings, self.model, tokens),
            seconds=seconds,
        )

    async def admitted(
        self, ask: Ask, used: Format, send: Callable[[dict[str, Any]], Awaitable[Result]], **extra: Any
    ) -> tuple[tuple[Result, float], Format, int]:
        """Send until it goes well, asking differently where the server refuses how it was asked; the slot stays held.

        First without the parameter that it names, then with less room for the reply, then in a looser format. Room and
        format count as refused only once the request was answered without: it may be bad for other reasons.
        """
        limiter, capabilities = self.endpoint.limiter, self.endpoint.capabilities
        place = limiter.place(ask.request.purpose)
        suspects: list[Format] = []
        room, tight = capabilities.room, False
        while True:
            body = capabilities.body(self._asked_as, ask.request, ask.messages(used), room) | ask.format(used)
            body |= {name: value for name, value in extra.items() if capabilities.takes(name)}
            try:
                sent = await with_retries(partial(send, body), limiter, place, self._policy, self._draw)
            except AttemptError as failure:
                looser = capabilities.looser(used) if ask.schema is not None and failure.bad_request else None
                if capabilities.learned(failure, body):
                    continue
                if failure.bad_request and room > 1:
                    room, tight = 1, True
                    continue
                if looser is None:
                    raise
                suspects.append(used)
                used, tight = looser, False
            else:
                capabilities.refuses(suspects)
                if tight:
                    capabilities.no_room()
                return sent, used, room
