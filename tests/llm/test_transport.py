"""Where models are reached, what they cost there, and which there are."""

import subprocess
import sys
from pathlib import Path

import pytest

from studio.llm import ModelError, ModelSettings, OpenAIModel, list_models
from studio.llm.prices import cost_usd
from studio.llm.response import Tokens
from tests.llm.fake_server import FakeServer
from tests.llm.helpers import GOOD, QUICK, Mark, asked, model_at

SPENT = Tokens(prompt_tokens=1_000_000, completion_tokens=1_000_000)


async def test_a_unix_socket_is_as_good_as_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-sockets")
    uds = tmp_path / "studio.sock"
    async with FakeServer(lambda b: GOOD, uds=uds) as server:
        settings = ModelSettings(endpoint=server.url, uds=str(uds), key_variable="OPENAI_API_KEY")
        model = OpenAIModel(settings, "tuned", retries=QUICK)
        reply = await model.structured(asked(), Mark)
        pieces = [piece async for piece in model.stream(asked())]
        await model.close()
    assert reply.value == Mark(calm=2, brief=1)
    assert reply.completion.usage.cost_usd == 0.0
    assert "".join(pieces) == '{"calm": 2, "brief": 1}'
    assert not any("sk-not" in value for headers in server.headers for value in headers.values())


async def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = ModelSettings(endpoint="http://studio/v1", uds=str(tmp_path / "none.sock"))
    model = OpenAIModel(settings, "base", retries=QUICK)
    with pytest.raises(ModelError, match=r"cannot talk to unix:.*none\.sock") as caught:
        await model.complete(asked())
    await model.close()
    assert caught.value.kind == "connection"


async def test_this_machine_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with FakeServer(lambda b: "ok") as server, model_at(server) as model:
        assert (await model.complete(asked())).text == "ok"


def test_a_call_costs_what_its_endpoint_asks() -> None:
    assert cost_usd(ModelSettings(endpoint="http://127.0.0.1:8000/v1"), "gpt-5-mini", SPENT) == 0.0
    assert cost_usd(ModelSettings(endpoint="http://gpu:8000/v1"), "gpt-5-mini", SPENT) is None
    assert cost_usd(ModelSettings(), "no-such-model", SPENT) is None
    dear = cost_usd(ModelSettings(), "gpt-5-mini", SPENT)
    assert dear is not None
    assert 0.5 < dear < 20
    cached = cost_usd(
        ModelSettings(),
        "gpt-5-mini",
        Tokens.model_validate({**SPENT.model_dump(), "prompt_tokens_details": {"cached_tokens": 900_000}}),
    )
    assert cached is not None
    assert cached < dear


async def test_the_models_of_an_endpoint_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setenv("OPENAI_API_KEY", "sk-right")
    async with FakeServer(lambda b: "", models=("small", "large"), key="sk-right") as server:
        settings = ModelSettings(endpoint=server.url, key_variable="OPENAI_API_KEY")
        assert await asyncio.to_thread(list_models, settings) == ["small", "large"]
        with pytest.raises(ModelError, match="asks for a key"):
            await asyncio.to_thread(list_models, ModelSettings(endpoint=server.url))
    with pytest.raises(ModelError, match="is the server running there"):
        await asyncio.to_thread(list_models, settings)


def test_naming_a_model_imports_no_client() -> None:
    code = (
        "import sys; from studio.llm import *; OpenAIModel(ModelSettings(), 'm');"
        "print([m for m in ('openai', 'httpx2', 'aiohttp', 'genai_prices') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
