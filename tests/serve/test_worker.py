"""A real worker over its socket: OpenAI's API, both models from one base, many at once."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from studio.chatml import user
from studio.errors import UserError
from studio.llm import Request, Sampling
from studio.serve import BASE, TUNED, end_unused, ensure, open_model
from tests.serve.conftest import Worker
from tests.serve.making import ask, body, client, streamed, text


def test_it_proves_that_the_base_is_the_base_before_it_is_ready(worker: Worker) -> None:
    proof = worker.ready.proof
    assert proof and proof.proven and proof.delta_on_off > 0 and proof.delta_off_base == 0
    assert worker.ready.models == (BASE, TUNED)


def test_only_its_owner_can_reach_the_socket(worker: Worker) -> None:
    socket = Path(worker.ready.socket)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


async def test_a_worker_for_the_same_is_used_again(worker: Worker) -> None:
    with await ensure(worker.jobs_dir, worker.params) as server:
        assert (server.job, server.ready) == (worker.job, worker.ready)


async def test_a_worker_that_somebody_uses_is_not_ended_for_another_run(worker: Worker) -> None:
    with pytest.raises(UserError, match="others use it") as caught:
        await ensure(worker.jobs_dir, worker.params.model_copy(update={"adapter_path": None}))
    assert f"studio jobs stop {worker.job.id}" in caught.value.remedy
    assert not end_unused(worker.jobs_dir), "nor for a training that needs its memory"
    assert worker.job.view().state == "running"


async def test_it_lists_its_models(worker: Worker) -> None:
    async with client(worker.ready.socket) as session, session.get("/v1/models") as response:
        assert [one["id"] for one in (await response.json())["data"]] == ["base", "tuned"]


async def test_base_and_tuned_answer_differently_and_each_the_same_in_company(worker: Worker) -> None:
    async with client(worker.ready.socket) as session:
        alone = await text(session, "base"), await text(session, "tuned")
        together = await asyncio.gather(*(text(session, name) for name in ("base", "tuned") * 3))
    assert all(alone) and alone[0] != alone[1]
    assert together == [*alone] * 3


async def test_a_stream_is_the_whole_reply_in_pieces(worker: Worker) -> None:
    async with client(worker.ready.socket) as session:
        whole = await ask(session)
        events = await streamed(session, stream_options={"include_usage": True})
    pieces = [event["choices"][0]["delta"].get("content", "") for event in events[:-1]]
    assert "".join(pieces) == whole["choices"][0]["message"]["content"]
    assert sum(map(bool, pieces)) > 3
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["usage"] == whole["usage"]
    assert whole["usage"]["completion_tokens"] > 3


async def test_many_at_once_are_answered_as_each_alone_with_the_word_whether_they_were_cut(worker: Worker) -> None:
    asked = [
        (name, f"Add {task} to my list.") for name in (BASE, TUNED) for task in ("milk", "a very long task", "tea")
    ]

    def turn(said: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": said}]

    async with client(worker.ready.socket) as session:
        alone = [await ask(session, name, messages=turn(said), max_tokens=60) for name, said in asked]
        both = await asyncio.gather(
            *(ask(session, name, messages=turn(said), max_tokens=60) for name, said in asked * 12)
        )
    choices = [answer["choices"] for answer in alone]
    assert [answer["choices"] for answer in both] == choices * 12
    assert {choice["finish_reason"] for [choice] in choices} == {"stop", "length"}


async def test_a_seed_gives_the_same_reply_whoever_else_is_in_the_batch(worker: Worker) -> None:
    async with client(worker.ready.socket) as session:
        alone = await text(session, temperature=1.5, seed=7)
        beside = await asyncio.gather(
            text(session, temperature=1.5, seed=8),
            text(session, temperature=1.5, seed=7),
            text(session, "tuned", max_tokens=3),
        )
    assert beside[1] == alone != beside[0]


async def test_stop_strings_and_limits_end_a_reply(worker: Worker) -> None:
    async with client(worker.ready.socket) as session:
        whole = await text(session)
        word = whole.split()[2]
        stopped = await ask(session, stop=[word])
        cut = await ask(session, max_tokens=2)
    assert stopped["choices"][0]["message"]["content"] == whole.split(word)[0]
    assert stopped["choices"][0]["finish_reason"] == "stop"
    assert cut["choices"][0]["finish_reason"] == "length" and cut["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"messages": [{"role": "user", "content": "word " * 2000}]}, 400, "context_length_exceeded"),
        ({"model": "gpt"}, 404, "model_not_found"),
        ({"messages": []}, 400, "messages"),
        ({"temperature": 9}, 400, "temperature"),
        ({"n": 2}, 400, "n: "),
        ({"response_format": {"type": "xml"}}, 400, "response_format"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_openais_shape(
    worker: Worker, change: dict[str, object], status: int, said: str
) -> None:
    async with (
        client(worker.ready.socket) as session,
        session.post("/v1/chat/completions", json=body() | change) as response,
    ):
        answer = await response.json()
    assert response.status == status
    assert answer["error"]["type"] == "invalid_request_error"
    assert said in f"{answer['error']['message']} {answer['error']['code']}"


async def test_the_studios_own_client_talks_to_it(worker: Worker) -> None:
    model = open_model(worker.ready, TUNED)
    request = Request(purpose="chat", messages=(user("Add buy milk."),), sampling=Sampling(max_tokens=30))
    try:
        whole = await model.complete(request)
        pieces = [piece async for piece in model.stream(request)]
    finally:
        await model.close()
    assert whole.text and "".join(pieces) == whole.text
    assert whole.usage.completion_tokens > 0 and whole.usage.cost_usd == 0
