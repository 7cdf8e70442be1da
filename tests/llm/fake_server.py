"""An OpenAI-compatible server on a loopback port or a Unix socket, for tests of every room that calls a model.

    async with FakeServer(lambda body: {"reply": "hi"}) as server:
        model = OpenAIModel(ModelSettings(endpoint=server.url), "fake")

``answer`` gets the request's body and gives the reply: text, or a value that becomes JSON. It sees what a model would
see: ``formats`` and ``ignores`` decide which kinds of ``response_format`` reach it. An ``answer`` may be a coroutine
function, to hold a reply back until a test has seen enough.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.llm.fake_batches import FakeBatches
from tests.llm.faults import Alive, Cut, Drop, Fault, Hang, Raw, Status, Truncate, WhiteSpace

Answer = Callable[[dict[str, Any]], "str | dict[str, Any] | Awaitable[str | dict[str, Any]]"]


class FakeServer:
    """Everything that is asked is kept in ``requests`` (bodies) and ``headers``; ``most_at_once`` is the peak.

    ``faults``: what goes wrong with the first requests, in order; None goes well. ``refuses``: parameters answered
    with 400. ``formats``: kinds of ``response_format`` that are known; another is a 400, or, with ``ignores``,
    dropped without a word. ``key``: demanded where set. ``latency`` in seconds, or drawn anew for each. ``headers_out``
    go with each answer. ``every``, which a test may change at any time, says what goes wrong with each request.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        faults: Iterable[Fault | None] = (),
        refuses: Iterable[str] = (),
        formats: Iterable[str] = ("json_schema", "json_object"),
        ignores: bool = False,
        key: str | None = None,
        latency: float | Callable[[], float] = 0.0,
        models: Iterable[str] = ("fake",),
        headers_out: Mapping[str, str] | None = None,
        uds: Path | None = None,
        every: Callable[[dict[str, Any]], Fault | None] | None = None,
    ) -> None:
        self._answer, self._faults = answer, iter(faults)
        self._refuses, self._formats, self._ignores = tuple(refuses), tuple(formats), ignores
        self._key, self._latency, self._models = key, latency, tuple(models)
        self._headers_out, self._uds = dict(headers_out or {}), uds
        self.every = every
        self.requests: list[dict[str, Any]] = []
        self.answered = 0
        """Whole answers that were sent."""
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.reached = asyncio.Event()
        """Set at the first request."""
        self.left_early = asyncio.Event()
        """Set once a client went away before its stream's end."""
        self._at_once = 0
        self.batches = FakeBatches(self._in_batch)
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> FakeServer:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        self.batches.add_to(app)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        if self._uds is not None:
            await web.UnixSite(self._runner, str(self._uds)).start()
            self.url = "http://fake/v1"
        else:
            await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
            self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _list(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorised(request):
            return refusal
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.reached.set()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._replied(request, body)
        finally:
            self._at_once -= 1

    async def _replied(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        fault = next(self._faults, None) or (self.every(body) if self.every is not None else None)
        if refusal := self._unauthorised(request) or self._bad_request(body) or await self._broken(request, fault):
            return refusal
        if self._latency:
            await asyncio.sleep(self._latency() if callable(self._latency) else self._latency)
        text = await self._text(body)
        finish = "stop"
        if isinstance(fault, Truncate):
            text, finish = text[: fault.characters], "length"
        if isinstance(fault, WhiteSpace):
            text, finish = text[: fault.characters] + " " * _cap(body), "length"
        self.answered += 1
        if body.get("stream"):
            return await self._stream(request, body, text, finish, fault)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        return web.json_response(_envelope(body, "chat.completion", choice, text), headers=self._headers_out)

    async def _in_batch(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to one request of a batch."""
        self.requests.append(body)
        fault = next(self._faults, None) or (self.every(body) if self.every is not None else None)
        refusal = self._bad_request(body) or (_error(fault) if isinstance(fault, Status) else None)
        if refusal is not None:
            assert isinstance(refusal.body, bytes)
            return refusal.status, json.loads(refusal.body)
        text, finish = await self._text(body), "stop"
        if isinstance(fault, Truncate):
            text, finish = text[: fault.characters], "length"
        self.answered += 1
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        return 200, _envelope(body, "chat.completion", choice, text)

    async def _text(self, body: dict[str, Any]) -> str:
        """The answer, given the body as the model behind the server would see it."""
        seen = dict(body)
        if seen.get("response_format", {}).get("type") not in self._formats:
            seen.pop("response_format", None)
        answer = self._answer(seen)
        value = await answer if isinstance(answer, Awaitable) else answer
        return value if isinstance(value, str) else json.dumps(value)

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        sent = request.headers.get("Authorization", "")
        if self._key is None or sent == f"Bearer {self._key}":
            return None
        return _error(Status(401, f"Incorrect API key provided: {sent.removeprefix('Bearer ')}"))

    def _bad_request(self, body: dict[str, Any]) -> web.Response | None:
        for name in self._refuses:
            if name in body:
                return _error(Status(400, f"Unsupported parameter: '{name}'", {}, {"param": name}))
        kind = body.get("response_format", {}).get("type", "text")
        if kind != "text" and kind not in self._formats and not self._ignores:
            return _error(Status(400, f"'response_format.type' must not be '{kind}'"))
        return None

    async def _broken(self, request: web.Request, fault: Fault | None) -> web.Response | None:
        if isinstance(fault, Hang):
            await asyncio.Event().wait()
        if isinstance(fault, Drop) and request.transport is not None:
            request.transport.abort()
        if isinstance(fault, Raw):
            return web.Response(body=fault.body, content_type=fault.content_type)
        return _error(fault) if isinstance(fault, Status) else None

    async def _stream(
        self, request: web.Request, body: dict[str, Any], text: str, finish: str, fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **self._headers_out})
        await response.prepare(request)
        words = text.replace(" ", " \0").split("\0")
        try:
            while isinstance(fault, Alive):
                await response.write(b": keep-alive\n\n")
                await asyncio.sleep(fault.every)
            for word in words[: fault.pieces] if isinstance(fault, Cut) else words:
                choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
                await response.write(_event(_envelope(body, "chat.completion.chunk", choice)))
                await asyncio.sleep(0)
            if isinstance(fault, Cut):
                if not fault.clean and request.transport is not None:
                    request.transport.abort()
                return response
            end = {"index": 0, "delta": {}, "finish_reason": finish}
            await response.write(_event(_envelope(body, "chat.completion.chunk", end)))
            if body.get("stream_options", {}).get("include_usage"):
                await response.write(_event(_envelope(body, "chat.completion.chunk", None, text)))
            await response.write(b"data: [DONE]\n\n")
        except (ConnectionError, asyncio.CancelledError):
            self.left_early.set()
            raise
        return response


def _cap(body: dict[str, Any]) -> int:
    return int(body.get("max_tokens") or body.get("max_completion_tokens") or 4096)


def _envelope(
    body: dict[str, Any], kind: str, choice: dict[str, Any] | None, text: str | None = None
) -> dict[str, Any]:
    """The response's object. Tokens are words: enough to add up."""
    whole = {"id": "1", "object": kind, "created": 0, "model": body.get("model", "")}
    choices: dict[str, Any] = {"choices": [choice] if choice else []}
    if text is None:
        return whole | choices
    prompt = sum(len(str(message.get("content")).split()) for message in body.get("messages", ()))
    done = len(text.split())
    usage = {"prompt_tokens": prompt, "completion_tokens": done, "total_tokens": prompt + done}
    return whole | choices | {"usage": usage}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _error(status: Status) -> web.Response:
    error = {"message": status.message, "type": "error", "param": None, "code": None} | status.error
    return web.json_response({"error": error}, status=status.code, headers=status.headers)
