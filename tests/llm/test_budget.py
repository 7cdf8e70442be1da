"""No call is sent that could cost more than is left of the budget: what is under way is reserved, restarts count."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from studio.calls import Spent
from studio.errors import UserError
from studio.llm import CallLog, Completion, ModelError, ModelSettings
from studio.llm.budget import check_budget, prompt_tokens
from studio.llm.settings import Price
from studio.store import ExampleStore
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Raw
from tests.llm.helpers import MemoryLog, asked, model_at

PRICE = Price(prompt=0.0, completion=10_000.0)
"""A cent a token of an answer: the longest answer to ``asked(max_tokens=10)`` is ten cents, "ok fine" is two."""


def held_to(usd: float, **more: Any) -> dict[str, Any]:
    return {"price": PRICE, "max_cost_usd": usd, **more}


def ask_many(server: FakeServer, log: CallLog, usd: float, number: int, start: int = 0) -> Any:
    async def ask_all() -> list[object]:
        async with model_at(server, log=log, settings=held_to(usd)) as model:
            requests = (asked(f"Number {one}?", max_tokens=10) for one in range(start, start + number))
            return await asyncio.gather(*map(model.complete, requests), return_exceptions=True)

    return ask_all()


async def test_what_does_not_fit_is_not_sent_and_the_line_says_what_to_do() -> None:
    async with (
        FakeServer(lambda _: "ok fine") as server,
        model_at(server, log=MemoryLog(), settings=held_to(0.09)) as m,
    ):
        with pytest.raises(ModelError) as caught:
            await m.complete(asked(max_tokens=10))
    assert server.requests == []
    assert caught.value.kind == "budget" and caught.value.fatal
    assert "raise --max-cost; what is done is kept" in str(caught.value) and "\n" not in str(caught.value)


async def test_many_at_once_use_the_budget_up_and_never_overrun_it() -> None:
    log = MemoryLog()
    async with FakeServer(lambda _: "ok fine", latency=0.002) as server:
        ended = await ask_many(server, log, 0.50, 60)
    # The last call still had ten cents of room; so 0.40 and a little are spent, though 0.10 was reserved for each.
    assert 0.40 <= log.spent().cost_usd <= 0.50
    assert server.most_at_once <= 5
    refused = [one for one in ended if isinstance(one, ModelError)]
    assert len(server.requests) == len(log.calls) == 60 - len(refused) >= 20
    assert {one.kind for one in refused} == {"budget"}


async def test_a_restart_counts_what_is_on_record(tmp_path: Path) -> None:
    store = ExampleStore(tmp_path / "examples.db")
    async with FakeServer(lambda _: "ok fine") as server:
        await ask_many(server, store, 0.50, 60)
        before = len(server.requests)
        again = ExampleStore(tmp_path / "examples.db")
        ended = await ask_many(server, again, 0.50, 10, start=100)
        assert all(isinstance(one, ModelError) and one.kind == "budget" for one in ended)
        assert len(server.requests) == before
        assert not any(isinstance(one, ModelError) for one in await ask_many(server, again, 0.60, 3, start=100))


async def test_what_was_answered_before_is_given_although_nothing_is_left() -> None:
    log = MemoryLog()
    async with FakeServer(lambda _: "ok fine") as server:
        await ask_many(server, log, 0.12, 1)
        (again,) = await ask_many(server, log, 0.0, 1)
    assert again.text == "ok fine" and len(server.requests) == 1


async def test_judgements_go_before_new_examples() -> None:
    order: list[str] = []
    first_is_there = asyncio.Event()

    async def answer(body: dict[str, Any]) -> str:
        order.append(body["messages"][-1]["content"])
        await first_is_there.wait()
        return "ok"

    async with FakeServer(answer) as server, model_at(server, log=MemoryLog(), settings=held_to(0.15)) as model:
        wanted = [("first", "author"), ("second", "author"), ("third", "judge")]
        calls = [asyncio.ensure_future(model.complete(asked(n, p, max_tokens=10))) for n, p in wanted]  # type: ignore[arg-type]
        await server.reached.wait()
        first_is_there.set()
        await asyncio.gather(*calls)
    assert order == ["first", "third", "second"]


async def test_one_that_is_given_up_while_it_waits_takes_nothing_of_the_budget() -> None:
    go = asyncio.Event()

    async def answer(_: dict[str, Any]) -> str:
        await go.wait()
        return "ok"

    async with FakeServer(answer) as server, model_at(server, log=MemoryLog(), settings=held_to(0.15)) as model:
        first, second, third = (
            asyncio.ensure_future(model.complete(asked(name, max_tokens=10))) for name in ("1", "2", "3")
        )
        await server.reached.wait()
        second.cancel()
        go.set()
        assert [(await first).text, (await third).text] == ["ok", "ok"]
        assert second.cancelled() or second.cancelling()


NO_USAGE = Raw(b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}')


@pytest.mark.parametrize("fault", [NO_USAGE, Raw(b"<html>")])
async def test_what_a_server_does_not_tell_counts_as_the_longest_answer(fault: Raw) -> None:
    log = MemoryLog()
    server = FakeServer(lambda _: "ok fine", faults=[fault, fault])
    async with server, model_at(server, log=log, settings=held_to(0.25)) as model:
        ended = [await settled(model.complete(asked(f"{number}", max_tokens=10))) for number in range(3)]
    assert [call.cost_usd for call in log.calls.values()][:2] == pytest.approx([0.1, 0.1])
    assert log.spent().unpriced == 0 and log.spent().cost_usd <= 0.25
    assert ended[-1] == "budget" and len(server.requests) == len(log.calls)


async def test_a_retry_is_held_to_the_budget_too() -> None:
    server = FakeServer(lambda _: "ok fine", faults=[Raw(b"<html>")] * 4)
    log = MemoryLog()
    async with server, model_at(server, log=log, settings=held_to(0.15)) as model:
        assert await settled(model.complete(asked(max_tokens=10))) == "budget"
    assert len(server.requests) == 1 and log.spent().cost_usd == pytest.approx(0.1)


async def settled(call: Coroutine[Any, Any, Completion]) -> str:
    """The text, or what kind of error came instead."""
    try:
        return (await call).text
    except ModelError as error:
        return error.kind


async def test_a_model_without_a_known_price_is_refused_at_the_start() -> None:
    unknown = ModelSettings(endpoint="http://gateway.example/v1", model="m", max_cost_usd=5.0)
    with pytest.raises(UserError, match="no price is known of m at http://gateway") as caught:
        await check_budget(unknown)
    assert "STUDIO_PRICE" in caught.value.remedy
    await check_budget(unknown.model_copy(update={"price": PRICE}))
    await check_budget(unknown.model_copy(update={"max_cost_usd": None}))
    await check_budget(ModelSettings(endpoint="http://localhost:1/v1", model="m", max_cost_usd=5.0))
    judged = ModelSettings(endpoint="http://localhost:1/v1", model="m", max_cost_usd=5.0, judge_model="j")
    elsewhere = judged.model_copy(update={"judge_endpoint": "http://gateway.example/v1"})
    await check_budget(judged)
    with pytest.raises(UserError, match="no price is known of j") as caught:
        await check_budget(elsewhere)
    assert "STUDIO_JUDGE_PRICE" in caught.value.remedy


async def test_what_costs_nothing_is_held_to_nothing() -> None:
    free = {"max_cost_usd": 0.0}
    async with FakeServer(lambda _: "ok") as server, model_at(server, log=MemoryLog(), settings=free) as model:
        assert (await model.complete(asked())).text == "ok"


def test_prompts_are_estimated_generously() -> None:
    def of(text: str, **more: Any) -> int:
        return prompt_tokens({"messages": [{"role": "user", "content": text}], **more})

    assert of("one two three four five six seven eight") >= 8 + 8
    assert of("\u6211\u4eec\u53bb\u516c\u56ed") >= 5 + 8
    assert of("\U0001f9d1\u200d\U0001f680") >= 8
    assert of("a" * 1000) >= 333
    assert of("x", response_format={"type": "json_schema", "json_schema": {"schema": {"a": "b" * 600}}}) >= 300


def test_spent_adds_and_takes_away() -> None:
    one, two = Spent(2, 1, 30, 4, 1.5, 0.25), Spent(1, 0, 10, 2, 0.5, 0.5)
    assert one.plus(two).minus(two) == one
