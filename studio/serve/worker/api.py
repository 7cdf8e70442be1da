"""OpenAI's chat API over the batcher: the routes and what goes over the wire."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import torch
from aiohttp import web

from studio.serve.worker.batching import Asked, Batcher, Part
from studio.serve.worker.request import ChatRequest, RefusalError, read_request

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """``touched`` is when the last request came or went, by the monotonic clock."""

    def __init__(self, names: tuple[str, ...], asked_of: Callable[[ChatRequest], Asked], batcher: Batcher) -> None:
        """``asked_of`` makes a row of a request, or raises :class:`RefusalError`."""
        self._names, self._asked_of, self._batcher = names, asked_of, batcher
        self._created = int(time.time())
        self._open = 0
        self.touched = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds without a request; 0 while there is one."""
        return 0.0 if self._open else time.monotonic() - self.touched

    def runner(self) -> web.AppRunner:
        """The routes, ready to be bound to a socket."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/v1/models", self._list_models)
        application.router.add_post("/v1/chat/completions", self._complete)
        # Without handler_cancellation nobody would notice that a client has left.
        return web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=1)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts what is open, and puts every refusal in OpenAI's shape."""
        self._open += 1
        try:
            return await handler(request)
        except Exception as error:
            refusal = _explained(error)
            return web.json_response(refusal.body, status=refusal.status)
        finally:
            self._open -= 1
            self.touched = time.monotonic()

    async def _list_models(self, request: web.Request) -> web.Response:
        common = {"object": "model", "created": self._created, "owned_by": "persona-studio"}
        return web.json_response({"object": "list", "data": [{"id": name, **common} for name in self._names]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        wanted = read_request(await request.read())
        asked = self._asked_of(wanted)
        if wanted.stream:
            return await self._stream(request, wanted, asked)
        text, last = "", Part("", 0)
        async with aclosing(self._batcher.ask(asked)) as parts:
            async for last in parts:
                text += last.text
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": last.finish}
        return web.json_response(
            {**_head(wanted, "chat.completion"), "choices": [choice], "usage": _usage(asked, last)}
        )

    async def _stream(self, request: web.Request, wanted: ChatRequest, asked: Asked) -> web.StreamResponse:
        """Server-sent events. The headers wait for the first token, so that a failure still has its status."""
        head = _head(wanted, "chat.completion.chunk")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        last = Part("", 0)
        try:
            async with aclosing(self._batcher.ask(asked)) as parts:
                async for last in parts:
                    if not response.prepared:
                        await response.prepare(request)
                        await _send(response, {**head, "choices": [_delta({"role": "assistant", "content": ""})]})
                    if last.text:
                        await _send(response, {**head, "choices": [_delta({"content": last.text})]})
        except ConnectionError:
            raise
        except Exception as error:
            if not response.prepared:
                raise
            await _send(response, _explained(error).body)
            return response
        await _send(response, {**head, "choices": [_delta({}, last.finish)]})
        if wanted.stream_options and wanted.stream_options.include_usage:
            await _send(response, {**head, "choices": [], "usage": _usage(asked, last)})
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _explained(error: Exception) -> RefusalError:
    """What was refused, or failed while a batch was made. The log has the whole of it."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, web.HTTPException):
        return RefusalError(error.status, error.reason)
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return RefusalError(503, "out of memory: ask for fewer tokens, or for less at once", code="out_of_memory")
    _log.error("a batch failed", exc_info=error)
    return RefusalError(500, f"the reply failed: {type(error).__name__}")


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())


def _head(wanted: ChatRequest, kind: str) -> dict[str, Any]:
    name = f"chatcmpl-{secrets.token_hex(12)}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": wanted.model}


def _delta(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _usage(asked: Asked, last: Part) -> dict[str, int]:
    prompt = len(asked.prompt)
    return {"prompt_tokens": prompt, "completion_tokens": last.tokens, "total_tokens": prompt + last.tokens}
