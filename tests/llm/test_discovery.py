"""Servers on this machine are found where they usually listen, and nothing that listens there can do harm."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from studio.llm.discovery import USUAL_PORTS, find_servers
from tests.llm.fake_server import FakeServer


def port_of(server: FakeServer) -> int:
    return int(server.url.removesuffix("/v1").rpartition(":")[2])


@asynccontextmanager
async def answering(handler: web.Handler) -> AsyncIterator[int]:  # type: ignore[name-defined]
    """A server on 127.0.0.1 whose every answer is the handler's; its port."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
def nobody() -> socket.socket:
    """A port on which nobody listens."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    return free


def test_the_usual_ports_are_those_of_the_usual_servers() -> None:
    assert USUAL_PORTS == {"Ollama": 11434, "LM Studio": 1234, "vLLM": 8000, "llama.cpp": 8080}


async def test_a_server_is_found_with_its_chat_models(nobody: socket.socket) -> None:
    models = ("llama3.1:8b", "nomic-embed-text", "qwen3:4b")
    async with FakeServer(lambda b: "", models=models) as server:
        found = await find_servers({"Ollama": port_of(server), "vLLM": nobody.getsockname()[1]})
    (one,) = found
    assert (one.name, one.endpoint) == ("Ollama", server.url)
    assert one.models == ("llama3.1:8b", "qwen3:4b") and not one.needs_key
    nobody.close()


async def test_a_server_goes_by_the_name_that_it_gives_itself() -> None:
    async def list_models(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "m", "owned_by": "llamacpp"}]})

    async with answering(list_models) as port:
        (one,) = await find_servers({"vLLM": port})
    assert one.name == "llama.cpp"


async def test_a_server_that_wants_a_key_is_told_as_such_and_sent_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        seen.extend(f"{name}: {value}" for name, value in request.headers.items())
        return web.Response(status=401)

    async with answering(refuse) as port:
        (one,) = await find_servers({"vLLM": port})
    assert one.needs_key and one.models == ()
    assert seen and not any("sk-secret" in line for line in seen)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>Jupyter</html>", content_type="text/html"),
        web.Response(status=404),
        web.Response(status=302, headers={"Location": "http://127.0.0.1:1/v1/models"}),
        web.Response(body=b'{"data": [' + b" " * (2 << 20)),
        web.json_response({"data": [{"id": 7}]}),
        web.json_response(["m"]),
    ],
    ids=["page", "404", "redirect", "endless", "no names", "list"],
)
async def test_what_is_no_server_of_models_is_not_told_of(answer: web.Response) -> None:
    async def reply(request: web.Request) -> web.Response:
        return answer

    async with answering(reply) as port:
        assert await find_servers({"vLLM": port}, timeout_s=5) == ()


async def test_names_that_nobody_could_type_are_left_out() -> None:
    async with FakeServer(lambda b: "", models=("fine", "x\x1b[31m", "y" * 500, "")) as server:
        (one,) = await find_servers({"vLLM": port_of(server)})
    assert one.models == ("fine",)


async def test_all_are_asked_at_once() -> None:
    together = asyncio.Barrier(3)

    async def wait_for_the_others(request: web.Request) -> web.Response:
        await together.wait()
        return web.json_response({"data": [{"id": "m"}]})

    one, two, three = (answering(wait_for_the_others) for _ in range(3))
    async with one as a, two as b, three as c:
        assert len(await find_servers({"a": a, "b": b, "c": c}, timeout_s=20)) == 3


async def test_one_that_never_answers_holds_nobody_up() -> None:
    async def hang(request: web.Request) -> web.Response:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:  # a byte now and then keeps a time limit on reads alone from ever ending
            await response.write(b" ")
            await asyncio.sleep(0.05)

    async with answering(hang) as port, asyncio.timeout(20):
        assert await find_servers({"vLLM": port}, timeout_s=0.2) == ()


async def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with FakeServer(lambda b: "", models=("m",)) as server:
        assert len(await find_servers({"vLLM": port_of(server)}, timeout_s=5)) == 1
