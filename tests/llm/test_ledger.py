"""A paid answer is on record before it is used, and is never asked for twice."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel, Field

from studio.calls import CallRecord
from studio.llm import ModelError, ModelSettings, Sampling
from studio.llm.ledger import call_key
from studio.llm.structured import strict_schema
from studio.llm.types import Request
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Hang, Raw, Truncate
from tests.llm.helpers import GOOD, Mark, MemoryLog, asked, model_at, until


class Killed(BaseException):
    """Stands for kill -9: nothing of the process runs after it."""


class DyingLog(MemoryLog):
    """Lives as long as ``left`` writes; the last one is safe on the disk when the process dies."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def add_calls(self, records: Sequence[CallRecord], *, wait: bool = True) -> bool:
        super().add_calls(records)
        self.left -= len(records)
        if self.left == 0:
            raise Killed
        return True


async def test_a_killed_run_does_not_pay_again() -> None:
    log = DyingLog(1)
    async with FakeServer(lambda b: GOOD) as server:
        async with model_at(server, log=log) as model:
            with pytest.raises(Killed):
                await model.structured(asked(), Mark)
        async with model_at(server, log=log) as model:
            reply = await model.structured(asked(), Mark)
    assert reply.value == Mark(calm=2, brief=1)
    assert reply.completion.usage.completion_tokens == 4
    assert len(server.requests) == 1


async def test_a_correction_that_was_under_way_goes_on_where_it_was() -> None:
    replies: list[dict[str, Any]] = [{"calm": 9}, {"calm": 8}, GOOD]
    log = DyingLog(2)
    async with FakeServer(lambda b: replies.pop(0)) as server:
        async with model_at(server, log=log) as model:
            with pytest.raises(Killed):
                await model.structured(asked(), Mark)
        async with model_at(server, log=log) as model:
            reply = await model.structured(asked(), Mark)
    assert reply.value == Mark(calm=2, brief=1)
    assert len(server.requests) == 3
    assert '{"calm": 8}' in server.requests[-1]["messages"][-2]["content"]
    assert reply.completion.usage.completion_tokens == 2 + 2 + 4
    assert sum(call.completion_tokens for call in log.calls.values()) == 2 + 2 + 4


RETRY = {"retry_failed": True}


async def test_answers_in_vain_are_given_up_for_good_until_they_are_to_be_tried_again() -> None:
    log = MemoryLog()
    replies: list[Any] = ["no"] * 5 + [GOOD]
    async with FakeServer(lambda b: replies.pop(0)) as server:
        async with model_at(server, log=log) as model:
            for _ in range(2):
                with pytest.raises(ModelError, match="4 answers, the last one"):
                    await model.structured(asked(), Mark)
        assert len(server.requests) == 4
        async with model_at(server, log=log, settings=RETRY) as model:
            reply = await model.structured(asked(), Mark)
        async with model_at(server, log=log) as model:
            assert (await model.structured(asked(), Mark)).value == reply.value
    assert len(server.requests) == 6
    assert [call.outcome for call in log.calls.values()] == [*["answered"] * 4, "given up", *["answered"] * 2]
    assert reply.completion.usage.completion_tokens == 1 + 4


async def test_a_refusal_is_kept_and_not_asked_for_again() -> None:
    log, refusal = MemoryLog(), Raw(json.dumps({"choices": [{"message": {"refusal": "I will not."}}]}).encode())
    async with FakeServer(lambda b: GOOD, faults=[refusal]) as server:
        async with model_at(server, log=log) as model:
            for word in ("I will not", "--retry-failed"):
                with pytest.raises(ModelError, match=word):
                    await model.structured(asked(), Mark)
        assert len(server.requests) == 1
        async with model_at(server, log=log, settings=RETRY) as model:
            assert (await model.structured(asked(), Mark)).value == Mark(calm=2, brief=1)
    assert [call.outcome for call in log.calls.values()] == ["refused", "answered"]


async def test_whatever_is_delivered_is_on_record_as_it_came() -> None:
    log = MemoryLog()
    bodies = [b"<html>busy</html>", b'{"choices": []}']
    answers: list[Any] = ["", "<think>hm</think>", GOOD]
    async with (
        FakeServer(lambda b: answers.pop(0), faults=map(Raw, bodies)) as server,
        model_at(server, log=log) as model,
    ):
        await model.structured(asked(), Mark)
    assert [call.outcome for call in log.calls.values()] == ["unreadable"] * 2 + ["empty"] * 2 + ["answered"]
    assert [call.response.encode() for call in log.calls.values()][:2] == bodies
    assert json.loads(list(log.calls.values())[-1].response)["usage"]["completion_tokens"] == 4


async def test_a_cut_answer_is_told_from_a_whole_one() -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: "Hello there.", faults=[Truncate(5)]) as server:
        for _ in range(2):
            async with model_at(server, log=log) as model:
                assert (await model.complete(asked())).finish == "length"
    assert [call.outcome for call in log.calls.values()] == ["cut"] and len(server.requests) == 1


async def test_of_equal_requests_under_way_one_is_sent() -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: GOOD, latency=0.05) as server, model_at(server, log=log) as model:
        replies = await asyncio.gather(*(model.structured(asked(), Mark) for _ in range(8)))
    assert len(server.requests) == 1 and all(reply.value == replies[0].value for reply in replies)


async def test_without_a_record_equal_requests_are_all_sent() -> None:
    async with FakeServer(lambda b: GOOD) as server, model_at(server) as model:
        await asyncio.gather(*(model.structured(asked(), Mark) for _ in range(3)))
    assert len(server.requests) == 3


def test_the_key_of_a_request_is_what_it_was() -> None:
    """Golden: with another value all that users have on record would be paid for again."""
    key = call_key(ModelSettings(endpoint="http://host/v1"), "some-model", asked(), strict_schema(Mark))
    assert key == "79625475536c374fbcf6d17b8186c8da39ac21f398c191e3f45304ca837dc7b5"


def test_other_wording_of_a_schema_is_the_same_request_and_other_names_are_another() -> None:
    class Title(BaseModel):
        """One word."""

        title: int = Field(description="a number")

    class Other(BaseModel):
        """Another."""

        title: int

    class Named(BaseModel):
        description: int

    one, two, three = (call_key(ModelSettings(), "m", asked(), strict_schema(kind)) for kind in (Title, Other, Named))
    assert one == two != three


async def test_free_text_is_recalled_with_its_finish() -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: "Hello.") as server, model_at(server, log=log) as model:
        first = await model.complete(asked())
        assert await model.complete(asked()) == first
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "other",
    [asked("Something else?"), asked(seed=1), asked(temperature=0.5), asked(max_tokens=9)],
)
async def test_what_asks_for_something_else_is_asked(other: Request) -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: GOOD) as server, model_at(server, log=log) as model:
        await model.structured(asked(), Mark)
        await model.structured(other, Mark)
        await model.complete(asked())
    assert len(server.requests) == 3


async def test_a_record_that_is_not_ours_counts_as_no_answer() -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: GOOD) as server, model_at(server, log=log) as model:
        await model.structured(asked(), Mark)
        (key,) = log.calls
        log.calls[key] = log.calls[key].model_copy(update={"response": "damaged"})
        assert (await model.structured(asked(), Mark)).value == Mark(calm=2, brief=1)
    assert len(server.requests) == 2


class StoringServer(FakeServer):
    """Tells when an answer has left."""

    async def _replied(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await super()._replied(request, body)
        await response.prepare(request)
        await response.write_eof()
        self.sent.set()
        return response

    sent: asyncio.Event


async def test_an_answer_that_was_delivered_is_on_record_though_its_call_is_cancelled_before_it_is_read() -> None:
    log, server = MemoryLog(), StoringServer(lambda b: GOOD)
    server.sent = asyncio.Event()
    async with server, model_at(server, log=log) as model:
        asking = asyncio.create_task(model.structured(asked(), Mark))
        await server.sent.wait()
        asking.cancel()  # it is in the socket, and nobody has read it
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(log.calls) == 1
        assert (await model.structured(asked(), Mark)).value == Mark(calm=2, brief=1)
    assert len(server.requests) == 1


async def test_a_call_that_is_cancelled_before_its_answer_ends_at_once_and_stops_the_server() -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: GOOD, faults=[Hang()]) as server, model_at(server, log=log) as model:
        asking = asyncio.create_task(model.structured(asked(), Mark))
        await server.reached.wait()
        asking.cancel()
        done, _ = await asyncio.wait((asking,), timeout=5)
        assert done and not log.calls
        await until(lambda: server._at_once == 0)


def test_the_default_sampling_is_reproducible() -> None:
    assert Sampling() == Sampling(temperature=0.0, top_p=1.0, max_tokens=512, seed=0)


class BusyLog(MemoryLog):
    """Its disk is busy for a while; ``writes`` counts transactions."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds, self.writes = seconds, 0

    def add_calls(self, records: Sequence[CallRecord], *, wait: bool = True) -> bool:
        if not wait:
            return False
        time.sleep(self._seconds)
        self.writes += 1
        return super().add_calls(records)


async def test_an_answer_whose_record_waits_out_a_busy_disk_is_not_asked_for_again() -> None:
    log, limits = BusyLog(0.4), {"total_timeout": 0.2}
    async with FakeServer(lambda b: GOOD) as server, model_at(server, log=log, settings=limits) as model:
        assert (await model.structured(asked(), Mark)).value == Mark(calm=2, brief=1)
    assert len(server.requests) == len(log.calls) == 1


async def test_what_comes_while_the_record_is_written_is_written_together() -> None:
    log = BusyLog(0.05)
    async with FakeServer(lambda b: GOOD) as server, model_at(server, log=log) as model:
        await asyncio.gather(*(model.structured(asked(f"Number {n}?"), Mark) for n in range(16)))
    assert len(log.calls) == 16 and log.writes < 16
