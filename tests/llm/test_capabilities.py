"""Parameters that a server refuses are dropped once and not sent again; a reply is never asked for without a cap."""

import json

import pytest

from studio.llm import ModelError, ModelSettings
from studio.llm.capabilities import ROOM_LASTS, Capabilities
from studio.llm.errors import AttemptError
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Status, Truncate
from tests.llm.helpers import asked, model_at


async def test_refused_parameters_are_dropped_and_remembered() -> None:
    async with (
        FakeServer(lambda b: "ok", refuses=("temperature", "seed", "top_p")) as server,
        model_at(server) as model,
    ):
        await model.complete(asked("one", top_p=0.9))
        await model.complete(asked("two", top_p=0.9))
    assert len(server.requests) == 5
    assert not {"temperature", "seed", "top_p"} & server.requests[-1].keys()
    assert server.requests[-1]["max_tokens"] == 512


async def test_a_parameter_that_is_only_named_in_words_is_found_too() -> None:
    fault = Status(422, "Extra inputs are not permitted: body.seed")
    async with FakeServer(lambda b: "ok", faults=[fault]) as server, model_at(server) as model:
        assert (await model.complete(asked(seed=3))).text == "ok"
    assert ["seed" in body for body in server.requests] == [True, False]


async def test_the_cap_changes_its_name_but_never_goes() -> None:
    async with FakeServer(lambda b: "ok", refuses=("max_tokens",)) as server, model_at(server) as model:
        await model.complete(asked(max_tokens=77))
    assert server.requests[-1]["max_completion_tokens"] == 77
    both = ("max_tokens", "max_completion_tokens")
    async with FakeServer(lambda b: "ok", refuses=both) as server, model_at(server) as model:
        with pytest.raises(ModelError, match="max_completion_tokens"):
            await model.complete(asked())
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("max_tokens is too large: 1024. This model supports at most 512 completion tokens.", "max_tokens"),
        ("'max_tokens' or 'max_completion_tokens' is too large: 1024. This model's maximum context length is 512.", ""),
        ("max_tokens must be less than 512", "max_tokens"),
    ],
)
async def test_a_cap_that_is_too_large_keeps_its_name(message: str, parameter: str) -> None:
    fault = Status(400, message, {}, {"param": parameter or None})
    async with FakeServer(lambda b: "ok", faults=[fault]) as server, model_at(server) as model:
        with pytest.raises(ModelError, match=r"too large|less than"):
            await model.complete(asked("long", max_tokens=1024))
        await model.complete(asked("short", max_tokens=77))
    assert [body.get("max_tokens") for body in server.requests] == [1024, 77]


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
        "Unrecognized request argument supplied: max_tokens",
        "body.max_tokens: Extra inputs are not permitted",
    ],
)
async def test_a_cap_whose_name_is_not_known_is_sent_by_its_other_one(message: str) -> None:
    async with FakeServer(lambda b: "ok", faults=[Status(400, message)]) as server, model_at(server) as model:
        await model.complete(asked(max_tokens=77))
    assert server.requests[-1]["max_completion_tokens"] == 77


def test_openai_itself_is_asked_with_the_new_name_of_the_cap() -> None:
    assert Capabilities(ModelSettings()).cap == "max_completion_tokens"
    assert Capabilities(ModelSettings(endpoint="http://localhost/v1")).cap == "max_tokens"


def test_a_parameter_that_was_not_sent_is_not_dropped() -> None:
    capabilities = Capabilities(ModelSettings())
    failure = AttemptError("refused", "top_p is odd", status=400)
    assert not capabilities.learned(failure, {"model": "m"})
    assert not capabilities.learned(AttemptError("server", "seed", status=500), {"seed": 1})


async def test_room_for_longer_answers_goes_again_when_it_is_not_needed() -> None:
    async with FakeServer(lambda b: "ok", faults=[Truncate(0)]) as server, model_at(server) as model:
        await model.complete(asked("one", max_tokens=50))
        for number in range(ROOM_LASTS):
            await model.complete(asked(str(number), max_tokens=50))
    caps = [body["max_tokens"] for body in server.requests]
    assert caps[:3] == [50, 100, 100] and caps[-1] == 50


async def test_the_effort_of_reasoning_is_sent_where_it_is_set_and_taken() -> None:
    settings = {"reasoning_effort": "low"}
    async with FakeServer(lambda b: "ok") as server, model_at(server, settings=settings) as model:
        await model.complete(asked())
    assert server.requests[0]["reasoning_effort"] == "low"
    refusing = FakeServer(lambda b: "ok", refuses=("reasoning_effort",))
    async with refusing as server, model_at(server, settings=settings) as model:
        await model.complete(asked("one"))
        await model.complete(asked("two"))
    assert ["reasoning_effort" in body for body in server.requests] == [True, False, False]


def test_what_was_found_is_kept_and_what_cannot_be_read_is_found_again() -> None:
    first, second = Capabilities(ModelSettings()), Capabilities(ModelSettings())
    first.learned(AttemptError("refused", "seed is unknown", status=400), {"seed": 1})
    first.refuses(["json_schema"])
    first.more_room(1)
    second.begin_with(json.loads(json.dumps(first.kept())))
    assert second.kept() == first.kept()
    assert (second.takes("seed"), second.best_format(), second.room) == (False, "json_object", 2)
    damaged: object
    for damaged in (None, [], {}, {"cap": "temperature", "room": 1}, {"cap": "max_tokens", "room": 10**9}):
        third = Capabilities(ModelSettings())
        third.begin_with(damaged)
        assert third.kept() == Capabilities(ModelSettings()).kept()
