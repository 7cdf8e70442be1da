"""The transport: one exchange with an OpenAI-compatible server, over TCP or a Unix socket. Nothing is tried twice.

aiohttp alone: a client library on top of it takes three times the CPU of a call. What goes wrong becomes an
:class:`AttemptError`: what happened, whether again makes sense, never the key.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from studio.llm.errors import AttemptError, one_line
from studio.llm.response import Piece, duration, read_piece
from studio.llm.settings import ModelSettings

if TYPE_CHECKING:  # 200 ms: imported when the first call is made
    from aiohttp import ClientResponse, ClientSession

CONNECT_TIMEOUT = 10.0
_AGAIN = (408, 409, 425)
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "quota_exceeded", "insufficient_balance")
_NO_MODEL = ("model_not_found", "invalid_model", "model_not_available")
_LONGEST_EVENT = 1 << 24
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
        self._session: ClientSession | None = None

    async def ask(self, body: Mapping[str, Any]) -> Delivered:
        """The whole response to one chat completion."""
        response = await self._sent("/chat/completions", body)
        return Delivered(await self._read(response), response.headers)

    async def open(self, body: Mapping[str, Any]) -> EventStream:
        """A reply about to arrive in pieces; to be used in ``async with``, which tells the server when to stop."""
        return EventStream(await self._sent("/chat/completions", {**body, "stream": True}), self._key)

    async def get(self, path: str) -> bytes:
        """The body at ``path`` below the base URL."""
        return await self._read(await self._sent(path, None))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _sent(self, path: str, body: Mapping[str, Any] | None) -> ClientResponse:
        """The response once its head is there; raises for any status but success."""
        session = self._session or await self._opened()
        from aiohttp import ClientError

        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            response = await session.request("GET" if data is None else "POST", self._settings.url + path, data=data)
        except (ClientError, OSError, ValueError) as error:  # ValueError: a host that can be none
            raise broken(error, self._key) from None
        if not 200 <= response.status < 300:
            raise failure_of(response.status, await self._read(response), response.headers, self._key)
        return response

    async def _read(self, response: ClientResponse) -> bytes:
        from aiohttp import ClientError

        try:
            async with response:
                return await response.read()
        except (ClientError, OSError) as error:
            raise broken(error, self._key) from None

    async def _opened(self) -> ClientSession:
        async with self._opening:
            if self._session is None:
                await import_in_thread("aiohttp")
                self._key = self._settings.key()
                self._session = await self._made()
        return self._session

    async def _made(self) -> ClientSession:
        """This machine is reached without a proxy. How many are open at once is for the rate limit to say."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector, UnixConnector

        settings = self._settings
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=settings.read_timeout)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "persona-studio"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if settings.uds:
            return ClientSession(connector=UnixConnector(settings.uds, limit=0), timeout=timeout, headers=headers)
        secure: ssl.SSLContext | bool = True
        if settings.url.startswith("https:"):
            secure = await asyncio.to_thread(_certificates)
        connector = TCPConnector(limit=0, ssl=secure, ttl_dns_cache=60)
        return ClientSession(connector=connector, timeout=timeout, headers=headers, trust_env=not settings.local)


class EventStream:
    """A reply in pieces (server-sent events). Leaving it before its end closes the connection, so that the server
    stops."""

    def __init__(self, response: ClientResponse, key: str | None) -> None:
        self._response, self._key = response, key

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()  # one that was read to its end has given its connection back already

    async def pieces(self, deadline: float) -> AsyncGenerator[Piece, None]:
        """What arrives, until the server ends it or ``deadline``, in the loop's time, which nothing that the server
        sends to keep the connection open prolongs. A cut that is clean on the wire ends it too."""
        async for data in self._data(deadline):
            if data == b"[DONE]":
                return
            try:
                event = json.loads(data)
            except (ValueError, RecursionError):
                raise AttemptError("malformed", "the stream holds an event that is not JSON") from None
            if isinstance(event, Mapping) and event.get("error"):
                raise AttemptError("server", _said(event, self._key), again=True, reached=True)
            yield read_piece(event)

    async def _data(self, deadline: float) -> AsyncGenerator[bytes, None]:
        """The ``data`` of each event."""
        held = b""
        while True:
            chunk = await self._chunk(deadline)
            lines = (held + chunk).split(b"\n")
            held = lines.pop()
            if len(held) > _LONGEST_EVENT:
                raise AttemptError("malformed", "the stream holds an event without an end")
            for line in lines if chunk else (*lines, held):
                if line.startswith(b"data:"):
                    yield line[5:].strip()
            if not chunk:
                return

    async def _chunk(self, deadline: float) -> bytes:
        from aiohttp import ClientError

        try:
            async with asyncio.timeout_at(deadline):
                return await self._response.content.readany()
        except (ClientError, OSError) as error:
            late = asyncio.get_running_loop().time() >= deadline
            if isinstance(error, TimeoutError) and late:
                raise AttemptError("timeout", "the whole reply took too long") from None
            raise broken(error, self._key) from None


def _certificates() -> ssl.SSLContext:
    """What this machine trusts, and what browsers do: some Pythons come without any."""
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())
    return context


def broken(error: Exception, key: str | None) -> AttemptError:
    """The failure of an exchange that got no response, or not all of it."""
    from aiohttp import ClientConnectorError, ConnectionTimeoutError, InvalidURL

    if isinstance(error, ClientConnectorError | ConnectionTimeoutError | InvalidURL | ValueError):
        return AttemptError("connection", one_line(str(error), key), again=True)
    if isinstance(error, TimeoutError):
        return AttemptError("timeout", again=True)
    return AttemptError("connection", one_line(str(error), key), again=True, reached=True)


def failure_of(status: int, content: bytes, headers: Mapping[str, str], key: str | None) -> AttemptError:
    """The failure that a response with another status is."""
    if status in (401, 403):
        return AttemptError("auth", status=status)  # servers quote parts of the key here
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = content.decode(errors="replace") if len(content) < _LONGEST_EVENT else ""
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
