"""Streams: text as it comes, a cut told from an end, and leaving stops the server."""

import asyncio
import json
from contextlib import aclosing

import pytest

from studio.llm import ModelError
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Alive, Cut, Status, limited
from tests.llm.helpers import MemoryLog, asked, model_at


async def test_the_text_arrives_in_pieces() -> None:
    async with FakeServer(lambda b: "One two three.") as server, model_at(server) as model:
        pieces = [piece async for piece in model.stream(asked())]
    assert pieces == ["One ", "two ", "three."]


@pytest.mark.parametrize("clean", [True, False])
async def test_a_stream_that_breaks_off_is_not_taken_for_a_whole_one(clean: bool) -> None:
    faults = [Cut(2, clean=clean)]
    got: list[str] = []
    async with FakeServer(lambda b: "One two three.", faults=faults) as server, model_at(server) as model:
        with pytest.raises(ModelError) as caught:
            got.extend([piece async for piece in model.stream(asked())])
        again = [piece async for piece in model.stream(asked())]
    assert caught.value.kind == "connection"
    assert "".join(again) == "One two three."


async def test_what_goes_wrong_before_the_first_piece_is_tried_again() -> None:
    faults = [Status(502), limited(0.01)]
    async with FakeServer(lambda b: "fine", faults=faults) as server, model_at(server) as model:
        assert [piece async for piece in model.stream(asked())] == ["fine"]
    assert len(server.requests) == 3


async def test_an_emoji_that_the_server_cut_in_two_arrives_whole() -> None:
    log = MemoryLog()
    answer = "Hi \ud83d\0\ude42!\0\ud83d"  # the server cuts at each NUL
    async with FakeServer(lambda b: answer) as server, model_at(server, log=log) as model:
        pieces = [piece async for piece in model.stream(asked())]
    assert "".join(pieces) == "Hi \U0001f642!\ufffd"
    assert [json.loads(record.response)["text"] for record in log.calls.values()] == ["Hi \U0001f642!\ufffd"]


async def test_leaving_early_stops_the_server_and_frees_the_slot() -> None:
    words = "word " * 20_000
    async with FakeServer(lambda b: words) as server, model_at(server, settings={"max_concurrent": 1}) as model:
        async with aclosing(model.stream(asked())) as pieces:
            async for _ in pieces:
                break
        await asyncio.wait_for(server.left_early.wait(), 10)
        assert await asyncio.wait_for(anext(model.stream(asked())), 10) == "word "


async def test_thoughts_are_not_shown() -> None:
    answer = "<think> I wonder what </think> Hello you."
    async with FakeServer(lambda b: answer) as server, model_at(server) as model:
        assert "".join([piece async for piece in model.stream(asked())]) == "Hello you."


async def test_what_a_stream_took_is_on_record_but_it_is_never_replayed() -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: "a b c", refuses=()) as server, model_at(server, log=log) as model:
        for _ in range(2):
            assert len([piece async for piece in model.stream(asked())]) == 3
    assert len(server.requests) == 2
    assert [record.completion_tokens for record in log.calls.values()] == [3, 3]


async def test_a_server_without_stream_options_streams_all_the_same() -> None:
    async with FakeServer(lambda b: "a b", refuses=("stream_options",)) as server, model_at(server) as model:
        assert [piece async for piece in model.stream(asked())] == ["a ", "b"]


async def test_comments_that_keep_a_stream_open_do_not_prolong_its_deadline() -> None:
    settings = {"total_timeout": 0.3, "read_timeout": 0.2}
    server = FakeServer(lambda b: "fine", faults=[Alive()])
    async with server, model_at(server, settings=settings) as model:
        with pytest.raises(ModelError, match="took too long") as caught:
            _ = [piece async for piece in model.stream(asked())]
        assert caught.value.kind == "timeout"
        await asyncio.wait_for(server.left_early.wait(), 10)
        assert [piece async for piece in model.stream(asked())] == ["fine"]
