"""The transport: one exchange with an OpenAI-compatible server, over TCP or a Unix socket. Nothing is tried twice.

The client library's exceptions become :class:`AttemptError`: what happened, whether again makes sense, never the key.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from studio.llm.errors import AttemptError, one_line
from studio.llm.response import Answer, Piece, duration, read_answer, read_piece
from studio.llm.settings import ModelSettings

if TYPE_CHECKING:  # 950 ms: imported when the first call is made
    from httpx2 import AsyncClient
    from openai import APIStatusError, AsyncOpenAI, AsyncStream

CONNECT_TIMEOUT = 10.0
NO_KEY = "none"
"""The client insists on a key; servers without one ignore it."""
_AGAIN = (408, 409, 425)
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached")
_LOADED: set[str] = set()


async def import_in_thread(module: str) -> None:
    """Import what is slow to import off the event loop, once."""
    if module not in _LOADED:
        await asyncio.to_thread(importlib.import_module, module)
        _LOADED.add(module)


class Transport:
    """A client for one endpoint. What it raises holds no key: :class:`AttemptError`, and for a key that can be none
    :class:`studio.llm.errors.ModelError`."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._key: str | None = None
        self._opening = asyncio.Lock()
        self._client: AsyncOpenAI | None = None

    async def ask(self, body: Mapping[str, Any]) -> Answer:
        """The whole reply to one chat completion."""
        client = await self._opened()
        from httpx2 import Response
        from openai import APIError

        try:
            async with asyncio.timeout(self._settings.total_timeout):
                response = await client.post("/chat/completions", cast_to=Response, body=dict(body))
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None
        return read_answer(response.content, response.headers)

    async def open(self, body: Mapping[str, Any]) -> AsyncStream[Any]:
        """A reply about to arrive in pieces; to be used in ``async with``, which tells the server when to stop."""
        client = await self._opened()
        from openai import APIError, AsyncStream

        try:
            return await client.post(
                "/chat/completions",
                cast_to=object,
                body={**body, "stream": True},
                stream=True,
                stream_cls=AsyncStream[Any],
            )
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None

    async def pieces(self, stream: AsyncStream[Any]) -> AsyncGenerator[Piece, None]:
        """What arrives, until the server ends it. A cut that is clean on the wire ends it too."""
        from openai import APIError

        try:
            async for event in stream:
                yield read_piece(event)
        except (APIError, TimeoutError) as error:
            raise failure_of(error, self._key) from None
        except (ValueError, RecursionError):
            raise AttemptError("malformed", "the stream holds an event that is not JSON") from None

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
                api_key=self._key or NO_KEY,
                base_url=self._settings.url,
                max_retries=0,
                http_client=self._http(),
            )
        except InvalidURL as error:  # a host that only the client's own tables know to be none
            raise AttemptError("connection", str(error)) from None

    def _http(self) -> AsyncClient:
        """aiohttp for TCP, the fastest; httpx2's own for Unix sockets. This machine is reached without a proxy."""
        from httpx2 import AsyncClient, AsyncHTTPTransport, Limits, Timeout
        from openai import DefaultAioHttpClient

        settings = self._settings
        timeout = Timeout(settings.read_timeout, connect=CONNECT_TIMEOUT, pool=None)
        if settings.uds:
            return AsyncClient(transport=AsyncHTTPTransport(uds=settings.uds), timeout=timeout, trust_env=False)
        # No limit would be read as aiohttp's own default of 100.
        limits = Limits(max_connections=settings.max_concurrent, max_keepalive_connections=settings.max_concurrent)
        return DefaultAioHttpClient(timeout=timeout, limits=limits, trust_env=not settings.local)


def failure_of(error: Exception, key: str | None) -> AttemptError:
    """The failure that an ``openai.APIError`` or a timeout stands for."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        return _by_status(error, key)
    if isinstance(error, (TimeoutError, APIConnectionError)):
        return _by_cause(error, key)
    message = error.message if isinstance(error, APIError) else type(error).__name__
    return AttemptError("server", one_line(message, key), again=True)


def _by_status(error: APIStatusError, key: str | None) -> AttemptError:
    status, said = error.status_code, _said(error, key)
    if status in (401, 403):
        return AttemptError("auth", status=status)  # servers quote parts of the key here
    if status == 429:
        spent = error.code in _QUOTA or error.type in _QUOTA
        wait = _retry_after(error.response.headers.get("retry-after-ms"), error.response.headers.get("retry-after"))
        return AttemptError("limit", said, status=status, wait=wait, again=not spent)
    if status >= 500 or status in _AGAIN:
        return AttemptError("server", said, status=status, again=status != 501)
    parameter = error.param if isinstance(error.param, str) else ""
    return AttemptError("refused", said, status=status, parameter=parameter)


def _by_cause(error: Exception, key: str | None) -> AttemptError:
    """The library's aiohttp bridge reports a refused or lost connection as a timeout: the first cause knows better."""
    causes = list(_causes(error))
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    slow = "TimeoutError" in names or "ReadTimeout" in names
    said = next((str(cause) for cause in reversed(causes) if str(cause)), "")
    if slow and "ConnectionTimeoutError" not in names:
        return AttemptError("timeout", again=True)
    return AttemptError("connection", one_line(said, key), again=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _said(error: APIStatusError, key: str | None) -> str:
    """The server's message, without the status that the library puts before it."""
    body = error.body
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(body.get(name), str):
                return one_line(body[name], key)
        return one_line(str(body), key)
    return one_line(body if isinstance(body, str) else "", key)


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
