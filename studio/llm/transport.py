"""The transport: one exchange with an OpenAI-compatible server, over TCP or a Unix socket. Nothing is tried twice.

The client library's exceptions become :class:`AttemptError`: what happened, whether again makes sense, never the key.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from studio.llm.errors import AttemptError, one_line
from studio.llm.response import Piece, duration, read_piece
from studio.llm.settings import ModelSettings

if TYPE_CHECKING:  # 950 ms: imported when the first call is made
    from httpx2 import AsyncClient
    from openai import AsyncOpenAI, AsyncStream

CONNECT_TIMEOUT = 10.0
_AGAIN = (408, 409, 425)
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "quota_exceeded", "insufficient_balance")
_NO_MODEL = ("model_not_found", "invalid_model", "model_not_available")
NO_KEY = "none"
"""The client insists on a key; servers without one ignore it."""
_UNREACHED = frozenset(
    {"ClientConnectorError", "ConnectionTimeoutError", "ConnectError", "ConnectTimeout", "InvalidURL"}
)
"""Errors of a connection that was never made."""
_LOADED: set[str] = set()


async def import_in_thread(module: str) -> None:
    """Import what is slow to import off the event loop, once."""
    if module not in _LOADED:
        await asyncio.to_thread(importlib.import_module, module)
        _LOADED.add(module)


@dataclass(frozen=True)
class Delivered:
    """A successful response, as it came."""

    body: bytes
    headers: Mapping[str, str]


class Transport:
    """A client for one endpoint. What it raises holds no key: :class:`AttemptError`, and for a key that can be none
    :class:`studio.llm.errors.ModelError`."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._key: str | None = None
        self._opening = asyncio.Lock()
        self._client: AsyncOpenAI | None = None

    async def ask(self, body: Mapping[str, Any]) -> Delivered:
        """The whole response to one chat completion."""
        client = self._client or await self._opened()
        from httpx2 import Response
        from openai import APIError

        try:
            response = await client.post("/chat/completions", cast_to=Response, body=dict(body))
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None
        return Delivered(response.content, response.headers)

    async def get(self, path: str) -> bytes:
        """The body at ``path`` below the base URL."""
        client = self._client or await self._opened()
        from httpx2 import Response
        from openai import APIError

        try:
            return (await client.get(path, cast_to=Response)).content
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None

    @asynccontextmanager
    async def library(self) -> AsyncIterator[AsyncOpenAI]:
        """The client library itself, for what is no chat completion. What it raises becomes an AttemptError too."""
        client = self._client or await self._opened()
        from openai import APIError

        try:
            yield client
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None

    async def open(self, body: Mapping[str, Any]) -> EventStream:
        """A reply about to arrive in pieces; to be used in ``async with``, which tells the server when to stop."""
        client = self._client or await self._opened()
        from openai import APIError, AsyncStream

        try:
            stream = await client.post(
                "/chat/completions",
                cast_to=object,
                body={**body, "stream": True},
                stream=True,
                stream_cls=AsyncStream[Any],
            )
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None
        return EventStream(stream, self._key)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _opened(self) -> AsyncOpenAI:
        async with self._opening:
            if self._client is None:
                await import_in_thread("openai")
                self._client = self._made()
        return self._client

    def _made(self) -> AsyncOpenAI:
        from httpx2 import InvalidURL
        from openai import AsyncOpenAI

        self._key = self._settings.key()
        try:
            return AsyncOpenAI(
                api_key=self._key or NO_KEY, base_url=self._settings.url, max_retries=0, http_client=self._http()
            )
        except InvalidURL as error:  # a host that only the client's own tables know to be none
            raise AttemptError("connection", str(error)) from None

    def _http(self) -> AsyncClient:
        """aiohttp for TCP, the fastest; httpx2's own for Unix sockets. This machine is reached without a proxy."""
        from httpx2 import AsyncClient, AsyncHTTPTransport, Limits, Timeout
        from openai import DefaultAioHttpClient

        settings = self._settings
        timeout = Timeout(settings.read_timeout, connect=CONNECT_TIMEOUT, pool=None)
        limits = Limits(max_connections=settings.max_concurrent, max_keepalive_connections=settings.max_concurrent)
        if settings.uds:
            wire = AsyncHTTPTransport(uds=settings.uds, limits=limits)
            return AsyncClient(transport=wire, timeout=timeout, trust_env=False)
        return DefaultAioHttpClient(timeout=timeout, limits=limits, trust_env=not settings.local)


class EventStream:
    """A reply in pieces (server-sent events). Leaving it before its end closes the connection, so that the server
    stops."""

    def __init__(self, stream: AsyncStream[Any], key: str | None) -> None:
        self._stream, self._key = stream, key

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.close()

    async def pieces(self, deadline: float) -> AsyncGenerator[Piece, None]:
        """What arrives, until the server ends it or ``deadline``, in the loop's time, which nothing that the server
        sends to keep the connection open prolongs. A cut that is clean on the wire ends it too."""
        from openai import APIError

        events = self._stream.__aiter__()
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    event = await anext(events)
            except StopAsyncIteration:
                return
            except (APIError, TimeoutError) as error:
                if isinstance(error, TimeoutError) and asyncio.get_running_loop().time() >= deadline:
                    raise AttemptError("timeout", "the whole reply took too long") from None
                raise failure_of(error, self._key) from None
            except (ValueError, RecursionError):
                raise AttemptError("malformed", "the stream holds an event that is not JSON") from None
            yield read_piece(event)


def failure_of(error: Exception, key: str | None) -> AttemptError:
    """The failure that an ``openai.APIError`` or a timeout stands for."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        return refused_by(error.status_code, error.response.content, error.response.headers, key)
    if isinstance(error, (TimeoutError, APIConnectionError)):
        return _broken(error, key)
    message = error.message if isinstance(error, APIError) else type(error).__name__
    return AttemptError("server", one_line(message, key), again=True, reached=True)


_UNREACHED = frozenset(
    {"ClientConnectorError", "ConnectionTimeoutError", "ConnectError", "ConnectTimeout", "InvalidURL"}
)


def _broken(error: Exception, key: str | None) -> AttemptError:
    """The failure of an exchange that got no response, or not all of it.

    The library's aiohttp bridge reports a refused or lost connection as a timeout: the first cause knows better.
    """
    causes = list(_causes(error))
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    said = one_line(next((str(cause) for cause in reversed(causes) if str(cause)), ""), key)
    if not names.isdisjoint(_UNREACHED):
        return AttemptError("connection", said, again=True)
    if "TimeoutError" in names or "ReadTimeout" in names:
        return AttemptError("timeout", again=True)
    return AttemptError("connection", said, again=True, reached=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def refused_by(status: int, content: bytes, headers: Mapping[str, str], key: str | None) -> AttemptError:
    """The failure that a response with another status is."""
    if status in (401, 403):
        return AttemptError("auth", status=status)  # servers quote parts of the key here
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = content.decode(errors="replace")
    error = body.get("error", body) if isinstance(body, Mapping) else body
    fields = error if isinstance(error, Mapping) else {}
    names = {value for value in (fields.get("code"), fields.get("type")) if isinstance(value, str)}
    said = _said(body, key)
    wait = _retry_after(headers.get("retry-after-ms"), headers.get("retry-after"))
    if status == 402 or (status == 429 and not names.isdisjoint(_QUOTA)):
        return AttemptError("quota", said, status=status)
    if status == 404 or not names.isdisjoint(_NO_MODEL):
        return AttemptError("model", said, status=status)
    if status == 429:
        return AttemptError("limit", said, status=status, wait=wait, again=True)
    if status >= 500 or status in _AGAIN:
        return AttemptError("server", said, status=status, wait=wait, again=status != 501)
    parameter = fields.get("param")
    return AttemptError("refused", said, status=status, parameter=parameter if isinstance(parameter, str) else "")


def _said(body: object, key: str | None) -> str:
    """The server's message, wherever it put it."""
    while isinstance(body, Mapping):
        found = next((body[name] for name in ("error", "message", "detail") if body.get(name)), None)
        if found is None:
            return one_line(str(dict(body)), key)
        body = found
    return one_line(body if isinstance(body, str) else str(body or ""), key)


def _retry_after(milliseconds: str | None, value: str | None) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``retry-after``, which is a number or a date."""
    exact = duration(milliseconds)
    if exact is not None:
        return exact / 1000
    plain = duration(value)
    if plain is not None or value is None:
        return plain
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
