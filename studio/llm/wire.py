"""One exchange with an OpenAI-compatible server: a request out, an answer or a failure back. Nothing is tried twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from studio.llm.answers import Answer, Piece, read_answer, read_piece
from studio.llm.failures import AttemptError
from studio.llm.imports import load
from studio.llm.settings import ModelSettings
from studio.llm.translate import failure_of

if TYPE_CHECKING:  # 950 ms: imported when the first call is made
    from httpx2 import AsyncClient
    from openai import AsyncOpenAI, AsyncStream

CONNECT_TIMEOUT = 10.0
NO_KEY = "none"
"""The client insists on a key; servers without one ignore it."""


class Wire:
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
                await load("openai")
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
                http_client=self._transport(),
            )
        except InvalidURL as error:  # a host that only the client's own tables know to be none
            raise AttemptError("connection", str(error)) from None

    def _transport(self) -> AsyncClient:
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
