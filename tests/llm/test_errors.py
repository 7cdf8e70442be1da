"""What goes wrong on the wire: tried again where that can help, and told in one line with its remedy."""

import asyncio
import socket
import time

import pytest

from studio.llm import ModelError, ModelSettings, OpenAIModel, list_models, resolve_settings
from studio.llm.errors import Kind
from studio.llm.retry import RetryPolicy
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Drop, Fault, Hang, Raw, Status, limited
from tests.llm.helpers import QUICK, Mark, asked, model_at

SECRET = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(
    "fault",
    [Status(500), Status(503), Status(408), Drop(), limited(0.01), limited(), Raw(b"<html>busy</html>", "text/html")],
)
async def test_what_passes_is_tried_again(fault: Fault) -> None:
    async with FakeServer(lambda b: "ok", faults=[fault, fault]) as server, model_at(server) as model:
        assert (await model.complete(asked())).text == "ok"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "told", "requests"),
    [
        (Status(500, "boom"), "server", "(500) (boom)", 4),
        (Status(404, "no such model"), "model", "does the endpoint end in /v1", 1),
        (Status(400, "bad\nthing \x1b[31m"), "refused", "(400) (bad thing", 1),
        (Status(403, "no"), "auth", "set OPENAI_API_KEY", 1),
        (limited(3600), "limit", "asks to come back in 60 min", 1),
        (limited(code="insufficient_quota"), "quota", "add some or raise the limit", 1),
        (Drop(), "connection", "is the server running there?", 4),
        (Raw(b'{"choices": []}'), "malformed", "holds no reply", 4),
        (Raw(b'{"choices": [{"message": {"refusal": "No."}}]}'), "refused", "(No.)", 1),
        (Raw(b'{"choices": [{"message": {}, "finish_reason": "content_filter"}]}'), "refused", "content filter", 1),
    ],
)
async def test_what_does_not_pass_is_told_in_one_line(fault: Fault, kind: Kind, told: str, requests: int) -> None:
    async with FakeServer(lambda b: "ok", faults=[fault] * 9) as server, model_at(server) as model:
        with pytest.raises(ModelError) as caught:
            await model.complete(asked())
    assert caught.value.kind == kind
    assert told in str(caught.value)
    assert server.url in str(caught.value)
    assert not set(str(caught.value)) & {"\n", "\x1b"}
    assert len(server.requests) == requests


async def test_a_server_that_is_not_there_is_told_as_such_and_not_as_slow() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = ModelSettings(endpoint=f"http://127.0.0.1:{free.getsockname()[1]}/v1")
        model = OpenAIModel(settings, "fake", retries=QUICK)
        with pytest.raises(ModelError, match="is the server running there") as caught:
            await model.complete(asked())
        await model.close()
    assert caught.value.kind == "connection"


@pytest.mark.parametrize("host", ["\u2603.net", "[v1.x]"])
async def test_a_host_that_can_be_none_is_told_as_one_that_is_not_there(host: str) -> None:
    settings = resolve_settings(f"http://{host}/v1", "fake", environ={})
    model = OpenAIModel(settings, "fake", retries=QUICK)
    for asking in (model.complete(asked()), asyncio.to_thread(list_models, settings)):
        with pytest.raises(ModelError, match="cannot talk to") as caught:
            await asking
        assert caught.value.kind == "connection"
    await model.close()


@pytest.mark.parametrize(("read", "total", "requests"), [(0.05, 60.0, 2), (60.0, 0.3, 1)])
async def test_silence_ends_in_a_timeout_and_is_tried_once_more_within_the_deadline(
    read: float, total: float, requests: int
) -> None:
    limits = {"read_timeout": read, "total_timeout": total}
    server = FakeServer(lambda b: "ok", faults=[Hang()] * 9)
    async with server, model_at(server, settings=limits) as model:
        with pytest.raises(ModelError, match="did not answer in time") as caught:
            await model.complete(asked())
    assert caught.value.kind == "timeout"
    assert len(server.requests) == requests


async def test_a_deadline_holds_over_all_tries() -> None:
    limits, policy = {"read_timeout": 0.2, "total_timeout": 0.5}, RetryPolicy(0, 99, 0, 0.001, 0.001, 600.0)
    server = FakeServer(lambda b: "ok", every=lambda b: Hang())
    async with server, model_at(server, settings=limits, retries=policy) as model:
        with pytest.raises(ModelError, match="the whole call took more than"):
            await model.complete(asked())
    assert 2 <= len(server.requests) <= 3, "two of 0.2 s, and one of what was left, if anything was"


async def test_waiting_for_its_turn_is_none_of_a_call_s_tries() -> None:
    limits = {"max_concurrent": 1, "total_timeout": 0.4}
    async with FakeServer(lambda b: "ok", latency=0.15) as server, model_at(server, settings=limits) as model:
        assert len(await asyncio.gather(*(model.complete(asked(str(i))) for i in range(6)))) == 6


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(401), "auth"),
        (Status(403), "auth"),
        (Status(404, "The model `fake` does not exist."), "model"),
        (Status(400, "no", error={"code": "model_not_found"}), "model"),
        (Status(402, "Insufficient Balance"), "quota"),
        (limited(type="insufficient_quota"), "quota"),
    ],
)
async def test_what_no_other_call_can_do_better_is_fatal_at_once(fault: Fault, kind: Kind) -> None:
    async with FakeServer(lambda b: "ok", every=lambda b: fault) as server, model_at(server) as model:
        with pytest.raises(ModelError) as caught:
            await model.complete(asked())
    assert (caught.value.kind, caught.value.fatal, len(server.requests)) == (kind, True, 1)


@pytest.mark.parametrize(
    "fault", [Status(400, "no"), Status(422, "no"), Raw(b'{"choices": [{"message": {"refusal": "No."}}]}')]
)
async def test_a_refusal_is_this_call_s_alone(fault: Fault) -> None:
    async with FakeServer(lambda b: "ok", every=lambda b: fault) as server, model_at(server) as model:
        for number in range(6):
            with pytest.raises(ModelError) as caught:
                await model.complete(asked(str(number)))
            assert (caught.value.kind, caught.value.fatal) == ("refused", False)
        server.every = None
        assert (await model.complete(asked())).text == "ok"


async def test_a_429_waits_as_long_as_it_was_told() -> None:
    async with FakeServer(lambda b: "ok", faults=[limited(0.2)]) as server, model_at(server) as model:
        started = time.monotonic()
        await model.complete(asked())
        assert time.monotonic() - started >= 0.2
    assert len(server.requests) == 2


async def test_a_call_that_is_cancelled_gives_its_slot_back() -> None:
    async with (
        FakeServer(lambda b: "ok", faults=[Hang()]) as server,
        model_at(server, settings={"max_concurrent": 1}) as model,
    ):
        hanging = asyncio.create_task(model.complete(asked()))
        await server.reached.wait()
        hanging.cancel()
        assert (await model.complete(asked("two"))).text == "ok"


async def test_no_more_calls_are_open_than_the_settings_allow() -> None:
    async with (
        FakeServer(lambda b: "ok", latency=0.02) as server,
        model_at(server, settings={"max_concurrent": 3}) as model,
    ):
        await asyncio.gather(*(model.complete(asked(str(i))) for i in range(12)))
    assert server.most_at_once == 3


async def test_the_key_is_sent_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    async with FakeServer(lambda b: "ok", key=SECRET) as server:
        async with model_at(server, settings={"key_variable": "OPENAI_API_KEY"}) as model:
            assert (await model.complete(asked())).text == "ok"
        server._key = "another"
        async with model_at(server, settings={"key_variable": "OPENAI_API_KEY"}) as model:
            with pytest.raises(ModelError, match="refused the key") as caught:
                await model.complete(asked())
        server._key, server._faults = None, iter([Status(400, f"what is {SECRET}?")])
        async with model_at(server, settings={"key_variable": "OPENAI_API_KEY"}) as model:
            with pytest.raises(ModelError, match=r"what is \[key\]") as echoed:
                await model.complete(asked())
        async with model_at(server) as model:
            server._key = SECRET
            with pytest.raises(ModelError, match="asks for a key"):
                await model.complete(asked())
    for error in (caught.value, echoed.value):
        assert SECRET not in f"{error}{error!r}{error.__cause__}"
        assert error.__suppress_context__


async def test_a_key_that_was_copied_with_its_line_end_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{SECRET}\n")
    settings = {"key_variable": "OPENAI_API_KEY"}
    async with FakeServer(lambda b: "ok", key=SECRET) as server, model_at(server, settings=settings) as model:
        assert (await model.complete(asked())).text == "ok"
        assert await asyncio.to_thread(
            list_models, ModelSettings(endpoint=server.url, key_variable="OPENAI_API_KEY")
        ) == ["fake"]


@pytest.mark.parametrize("key", [f"{SECRET}\u201d", f"sk-\n{SECRET}", f"{SECRET}\x7f", f"\udcff{SECRET}"])
async def test_what_can_be_no_key_is_named_by_its_variable_and_not_told(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    settings = {"key_variable": "OPENAI_API_KEY"}
    async with FakeServer(lambda b: "ok") as server, model_at(server, settings=settings) as model:
        for asking in (
            model.complete(asked()),
            model.structured(asked(), Mark),
            anext(model.stream(asked())),
            asyncio.to_thread(list_models, ModelSettings(endpoint=server.url, key_variable="OPENAI_API_KEY")),
        ):
            with pytest.raises(ModelError, match="OPENAI_API_KEY holds characters") as caught:
                await asking
            assert caught.value.kind == "auth"
            assert SECRET not in f"{caught.value}{caught.value.__cause__!r}{caught.value.__context__!r}"
    assert server.requests == []


def test_waits_grow_and_are_spread() -> None:
    from random import Random

    from studio.llm.errors import AttemptError

    patience, broken = RetryPolicy(), AttemptError("server", again=True)
    waits = [patience.wait(broken, attempt, Random(attempt)) for attempt in (1, 2, 3, 9)]
    assert waits == sorted(waits)
    assert max(waits) <= 8.0 * 1.25
    told = {round(patience.wait(AttemptError("limit", wait=10), 1, Random(seed)), 3) for seed in range(20)}
    assert len(told) == 20
    assert min(told) >= 10
    assert max(told) <= 12.5
