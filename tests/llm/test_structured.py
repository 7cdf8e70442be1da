"""Structured replies: the most binding format that works, bounded corrections, and nothing half accepted."""

import json
from typing import Any, Literal

import pytest
from openai import pydantic_function_tool
from pydantic import BaseModel, Field

from studio.llm import ModelError, strict_schema
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Fault, Status, Truncate, WhiteSpace
from tests.llm.helpers import GOOD, Mark, asked, model_at


def kinds(server: FakeServer) -> list[str]:
    return [body.get("response_format", {}).get("type", "plain") for body in server.requests]


def only_told(body: dict[str, Any]) -> str | dict[str, Any]:
    """A model that gives JSON only where the schema is in the messages or enforced by the server."""
    enforced = body.get("response_format", {}).get("type") == "json_schema"
    told = any("JSON Schema" in message["content"] for message in body["messages"])
    return GOOD if enforced or told else "It was calm and brief."


async def test_a_server_that_enforces_schemas_is_asked_once() -> None:
    async with FakeServer(only_told) as server, model_at(server) as model:
        reply = await model.structured(asked(), Mark)
    assert reply.value == Mark(calm=2, brief=1)
    sent = server.requests[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"]["required"] == ["calm", "brief"]
    assert sent["schema"]["additionalProperties"] is False
    assert len(server.requests) == 1
    assert "brief" not in server.requests[0]["messages"][-1]["content"]


async def test_a_server_that_ignores_schemas_is_found_out_by_its_reply_and_remembered() -> None:
    async with FakeServer(only_told, formats=("json_object",), ignores=True) as server, model_at(server) as model:
        first = await model.structured(asked("one"), Mark)
        await model.structured(asked("two"), Mark)
    assert first.value == Mark(calm=2, brief=1)
    assert kinds(server) == ["json_schema", "json_object", "json_object"]


async def test_a_server_that_refuses_formats_is_asked_in_words_and_remembered() -> None:
    async with FakeServer(only_told, formats=()) as server, model_at(server) as model:
        await model.structured(asked("one"), Mark)
        await model.structured(asked("two"), Mark)
    assert kinds(server) == ["json_schema", "json_object", "plain", "plain"]


async def test_a_bad_request_for_another_reason_leaves_the_formats_alone() -> None:
    async with FakeServer(only_told, refuses=("messages",)) as server, model_at(server) as model:
        with pytest.raises(ModelError) as caught:
            await model.structured(asked("one"), Mark)
        server._refuses = ()
        await model.structured(asked("two"), Mark)
    assert caught.value.kind == "refused"
    assert kinds(server)[-1] == "json_schema"


async def test_an_invalid_reply_is_corrected_with_what_was_wrong_and_all_usage_is_summed() -> None:
    replies: list[dict[str, Any]] = [GOOD, {"calm": 5, "brief": 1}, GOOD]
    async with FakeServer(lambda body: replies.pop(0)) as server, model_at(server) as model:
        await model.structured(asked("zero"), Mark)
        reply = await model.structured(asked("one"), Mark)
    assert reply.value == Mark(calm=2, brief=1)
    last = server.requests[-1]["messages"]
    assert json.loads(last[-2]["content"]) == {"calm": 5, "brief": 1}
    assert "calm: Input should be 0, 1 or 2" in last[-1]["content"]
    words = [sum(len(m["content"].split()) for m in body["messages"]) for body in server.requests[1:]]
    assert reply.completion.usage.prompt_tokens == sum(words)
    assert reply.completion.usage.completion_tokens == 8


async def test_a_model_that_never_gives_json_is_given_up_after_a_few_answers() -> None:
    async with FakeServer(lambda body: "I would rather talk.") as server, model_at(server) as model:
        with pytest.raises(ModelError) as caught:
            await model.structured(asked(), Mark)
    assert caught.value.kind == "malformed"
    assert len(server.requests) == 4
    assert "another model" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'Sure!\n```json\n{"calm": 2, "brief": 1}\n```\nAnything else?',
        'The marks {as you asked}: {"calm": 2, "brief": 1}. Done.',
        '<think>{"calm": 0, "brief": 0}? No, better.</think>\n{"calm": 2, "brief": 1}',
        'Hm, {"calm": 0, "brief": 0}.</think>{"calm": 2, "brief": 1}',
        '{"note": "first"} {"calm": 2, "brief": 1}',
    ],
)
async def test_json_is_found_among_other_text(text: str) -> None:
    async with FakeServer(lambda body: text, formats=()) as server, model_at(server) as model:
        assert (await model.structured(asked(), Mark)).value == Mark(calm=2, brief=1)
    assert kinds(server)[-1] == "plain"
    assert kinds(server).count("plain") == 1


class Note(BaseModel):
    text: str = ""


async def test_a_reply_that_was_cut_off_is_never_valid_even_if_it_parses() -> None:
    faults = [Truncate(len('{"text": "all"}')), None]
    async with FakeServer(lambda body: '{"text": "all"}', faults=faults) as server, model_at(server) as model:
        reply = await model.structured(asked(max_tokens=10), Note)
    assert reply.value == Note(text="all")
    assert [body["max_tokens"] for body in server.requests] == [10, 20]


async def test_the_room_that_a_model_needs_is_remembered() -> None:
    async with FakeServer(lambda body: GOOD, faults=[Truncate(3), Truncate(3)]) as server, model_at(server) as model:
        await model.structured(asked("one", max_tokens=10), Mark)
        await model.structured(asked("two", max_tokens=10), Mark)
    assert [body["max_tokens"] for body in server.requests] == [10, 20, 40, 40]
    assert set(kinds(server)) == {"json_schema"}


async def test_where_the_context_has_no_more_room_a_reply_is_asked_for_with_its_own() -> None:
    """One reply is cut, and from then on the server refuses the doubled cap."""
    full = Status(400, "This model's maximum context length is 4096 tokens, you requested 4500 (4000 + 20 x 25)")
    faults: list[Fault | None] = [Truncate(3), full]
    async with FakeServer(lambda body: GOOD, faults=faults) as server, model_at(server) as model:
        for text in ("one", "two"):
            assert (await model.structured(asked(text, max_tokens=10), Mark)).value == Mark(calm=2, brief=1)
    assert [body["max_tokens"] for body in server.requests] == [10, 20, 10, 10]
    assert set(kinds(server)) == {"json_schema"}


async def test_a_format_that_is_refused_is_not_blamed_on_the_room() -> None:
    async with FakeServer(lambda body: GOOD, formats=("json_object",)) as server, model_at(server) as model:
        model._completions.endpoint.capabilities.more_room(1)
        await model.structured(asked("one", max_tokens=10), Mark)
        await model.structured(asked("two", max_tokens=10), Mark)
    assert kinds(server) == ["json_schema", "json_schema", "json_object", "json_object"]
    assert [body["max_tokens"] for body in server.requests] == [20, 10, 10, 20]


async def test_a_loop_of_white_space_is_capped_and_counts_against_the_format() -> None:
    async with FakeServer(lambda body: GOOD, faults=[WhiteSpace()]) as server, model_at(server) as model:
        reply = await model.structured(asked(max_tokens=200), Mark)
    assert reply.value == Mark(calm=2, brief=1)
    assert kinds(server) == ["json_schema", "json_object"]
    assert [body["max_tokens"] for body in server.requests] == [200, 200]


async def test_the_brief_is_never_sent() -> None:
    async with FakeServer(lambda body: GOOD) as server, model_at(server) as model:
        await model.structured(asked(), Mark)
    assert "brief" not in server.requests[0].keys() | server.requests[0]["messages"][0].keys()


async def test_free_text_comes_without_reasoning_and_with_its_finish() -> None:
    texts = ["<think>hm</think>\nHello.", "Hello there."]
    faults = [None, Truncate(5)]
    async with FakeServer(lambda body: texts.pop(0), faults=faults) as server, model_at(server) as model:
        whole, cut = await model.complete(asked("a")), await model.complete(asked("b"))
    assert (whole.text, whole.finish, whole.model) == ("Hello.", "stop", "fake")
    assert (cut.text, cut.finish) == ("Hello", "length")


async def test_free_text_with_nothing_but_cut_thoughts_is_asked_again_with_more_room() -> None:
    faults = [Truncate(10), None]
    answer = "<think>long and winding</think>Yes."
    async with FakeServer(lambda body: answer, faults=faults) as server, model_at(server) as model:
        assert (await model.complete(asked(max_tokens=8))).text == "Yes."
    assert [body["max_tokens"] for body in server.requests] == [8, 16]


class _Inner(BaseModel):
    """One that refers to itself, and is referred to with words beside."""

    size: int = Field(description="In metres.")
    parts: list["_Inner"] | None = None


class _Outer(BaseModel):
    one: _Inner = Field(description="The first.")
    other: _Inner
    several: list[_Inner] = []
    word: Literal["a", "b"] = "a"
    maybe: str | None = None
    counts: dict[str, int] = {}


@pytest.mark.parametrize("schema", [_Inner, _Outer, Mark])
def test_the_strict_schema_is_that_of_openais_own_library(schema: type[BaseModel]) -> None:
    assert strict_schema(schema) == pydantic_function_tool(schema)["function"]["parameters"]
