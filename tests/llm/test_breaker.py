"""The circuit breaker, over HTTP: while a server is away all wait and one probes, and no call is used up by that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from studio.llm import ModelError, ModelSettings, OpenAIModel, Waiting, drain, waiting, window
from studio.llm.breaker import AWAY_AFTER, Breaker
from studio.llm.errors import AttemptError
from studio.llm.limiter import Limiter
from studio.llm.rate_limit import RateLimit
from studio.llm.retry import Deadline, RetryPolicy, with_retries
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Drop, Fault, Hang, Status, limited
from tests.llm.helpers import asked, model_at, until
from tests.llm.virtual_time import run

PATIENT = RetryPolicy(first_wait=0.005, longest_wait=0.01, patience=60.0)
"""Probes after 10, 20, 40 ms: far longer than its four tries last, and far shorter than its patience."""


def calls(model: OpenAIModel, count: int) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(model.complete(asked(f"number {index}", "author"))) for index in range(count)]


@pytest.mark.parametrize("fault", [Status(500), Status(502), Status(503), Status(529), Drop()])
async def test_an_outage_is_waited_out_by_all_while_one_probes(fault: Fault) -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: fault)
    async with server, model_at(server, retries=PATIENT) as model:
        asking = calls(model, 8)
        await until(waiting)
        before = len(server.requests)
        server.most_at_once = 0
        await until(lambda: len(server.requests) >= before + 12)
        assert server.most_at_once == 1, "one probes, the others wait"
        assert not any(call.done() for call in asking), "more failures than tries, and none gave up"
        told = waiting()
        assert told is not None and told.reason == "server"
        assert told.line(told.since + timedelta(minutes=3)) == "waiting for the server, 3 min"
        server.every = None
        assert [(await call).text for call in asking] == ["ok"] * 8
        assert waiting() is None


async def test_the_patience_is_in_minutes_and_its_end_ends_the_run() -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: Status(502, "bad gateway"))
    impatient = RetryPolicy(first_wait=0.005, longest_wait=0.01, patience=0.3)
    async with server, model_at(server, retries=impatient) as model:
        failed = await asyncio.gather(*calls(model, 4), return_exceptions=True)
    assert all(isinstance(error, ModelError) and error.fatal and error.kind == "server" for error in failed)
    assert "look at the server's log" in str(failed[0])


async def test_a_request_that_the_server_cannot_bear_is_given_up_alone() -> None:
    def poison(body: dict[str, Any]) -> Fault | None:
        return Status(500, "boom") if "poison" in str(body["messages"]) else None

    async with FakeServer(lambda b: "ok", every=poison) as server, model_at(server, retries=PATIENT) as model:
        with pytest.raises(ModelError, match="boom") as caught:
            await model.complete(asked("poison"))
        assert not caught.value.fatal
        assert len(server.requests) == PATIENT.tries
        assert waiting() is None
        assert (await model.complete(asked("fine"))).text == "ok"


async def test_a_server_that_is_away_for_one_model_is_away_for_the_other() -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: Drop())
    async with server, model_at(server, retries=PATIENT) as author:
        judge = OpenAIModel(author._settings, "judge", retries=PATIENT)
        asking = calls(author, 6)
        await until(waiting)
        judging = asyncio.create_task(judge.complete(asked("one alone")))
        before = sum(body["model"] == "judge" for body in server.requests)
        await until(lambda: sum(body["model"] == "judge" for body in server.requests) > before + PATIENT.tries)
        server.every = None
        assert (await judging).text == "ok"
        await asyncio.gather(*asking)
        await judge.close()


async def test_single_failures_between_answers_open_nothing() -> None:
    draw, opened = Random(5), []

    def sometimes(body: dict[str, Any]) -> Fault | None:
        opened.append(waiting())
        return Status(500) if draw.random() < 0.05 else None

    async with FakeServer(lambda b: "ok", every=sometimes) as server, model_at(server, retries=PATIENT) as model:
        assert len(await asyncio.gather(*calls(model, 300))) == 300
    assert not any(opened)


async def test_a_server_that_says_when_it_is_back_is_probed_then() -> None:
    loop, times = asyncio.get_running_loop(), []

    def busy(body: dict[str, Any]) -> Fault | None:
        times.append(loop.time())
        return Status(503, headers={"retry-after": "0.4"}) if len(times) <= AWAY_AFTER else None

    server = FakeServer(lambda b: "ok", every=busy)
    async with server, model_at(server, retries=PATIENT, settings={"max_concurrent": 1}) as model:
        asking = calls(model, 3)
        await until(waiting)
        assert (told := waiting()) is not None and told.until is not None
        await asyncio.gather(*asking)
    assert times[AWAY_AFTER] - times[AWAY_AFTER - 1] >= 0.4


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_congestion_shrinks_the_window(status: int) -> None:
    server = FakeServer(lambda b: "ok", faults=[Status(status)])
    async with server, model_at(server, retries=PATIENT) as model:
        await model.complete(asked())
        assert window() < 16


async def test_a_long_wait_that_is_asked_for_holds_all_back_and_is_told_with_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.llm.breaker.LONG_WAIT", 0.3)
    server = FakeServer(lambda b: "ok", faults=[limited(0.5)], latency=0.01)
    async with server, model_at(server, retries=PATIENT, settings={"max_concurrent": 1}) as model:
        asking = calls(model, 5)
        await until(waiting)
        told = waiting()
        assert told is not None and told.reason == "limit" and told.status == 429 and told.until is not None
        assert 0.2 < (told.until - datetime.now(UTC)).total_seconds() <= 0.5
        assert len(server.requests) == 1
        assert len(await asyncio.gather(*asking)) == 5
    assert len(server.requests) == 6


async def test_a_wait_beyond_the_patience_ends_the_run_at_once_with_the_remedy() -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: limited(3600))
    async with server, model_at(server, retries=PATIENT) as model:
        failed = await asyncio.gather(*calls(model, 3), return_exceptions=True)
    assert all(isinstance(error, ModelError) and error.fatal for error in failed)
    assert "asks to come back in 60 min: start again then, or raise the limit there" in str(failed[0])


async def test_a_stop_sends_nothing_that_waits_and_lets_come_back_what_was_sent() -> None:
    release = asyncio.Event()

    async def slowly(body: dict[str, Any]) -> str:
        await release.wait()
        return "ok"

    server = FakeServer(slowly)
    async with server, model_at(server, retries=PATIENT, settings={"max_concurrent": 2}) as model:
        asking = calls(model, 5)
        await until(lambda: len(server.requests) == 2)
        judging = asyncio.create_task(model.complete(asked("a judgement", "judge")))
        await asyncio.sleep(0)
        drain()
        await until(lambda: sum(call.done() for call in asking) == 3)
        refused = [call.exception() for call in asking if call.done()]
        assert all(isinstance(error, ModelError) and error.kind == "stopped" for error in refused)
        release.set()
        assert [(await call).text for call in asking[:2]] == ["ok", "ok"]
        assert (await judging).text == "ok", "it finishes work that is paid for"
        drain(False)
        assert (await model.complete(asked("later", "author"))).text == "ok"


async def test_a_stop_ends_a_wait_for_the_server() -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: Drop())
    async with server, model_at(server, retries=PATIENT) as model:
        asking = [*calls(model, 4), asyncio.create_task(model.complete(asked("a judgement", "judge")))]
        await until(waiting)
        drain()
        failed = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 10)
    assert {error.kind for error in failed if isinstance(error, ModelError)} == {"stopped"}


async def test_a_probe_that_is_cancelled_lets_another_probe() -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: Status(502))
    async with server, model_at(server, retries=PATIENT) as model:
        asking = calls(model, 3)
        await until(waiting)
        before = len(server.requests)
        server.every = lambda b: Hang()
        await until(lambda: len(server.requests) > before)
        server.every = None
        probe = int(server.requests[-1]["messages"][-1]["content"].removeprefix("number "))
        asking.pop(probe).cancel()
        assert [(await call).text for call in asking] == ["ok", "ok"]


# --- on virtual time: how soon the pace is back


class Burst:
    """An endpoint that refuses everything from 20 s to 50 s, and bears 64 calls of about 0.3 s at once."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        self.status, self.retry_after = status, retry_after
        self.draw, self.refused = Random(3), 0
        self.done: list[float] = []

    async def ask(self) -> None:
        await asyncio.sleep(0.002)
        now = asyncio.get_running_loop().time()
        if 20 <= now < 50:
            self.refused += 1
            kind: Any = "limit" if self.status == 429 else "server"
            raise AttemptError(kind, status=self.status, again=True, wait=self.retry_after)
        await asyncio.sleep(0.3 * self.draw.lognormvariate(0, 0.4))
        self.done.append(asyncio.get_running_loop().time())

    def served(self, seconds: float, workers: int = 64) -> Burst:
        async def work() -> None:
            limiter, draw, loop = Limiter(RateLimit()), Random(4), asyncio.get_running_loop()

            async def worker() -> None:
                while loop.time() < seconds:
                    place = limiter.place("author")
                    _, slot = await with_retries(self.ask, limiter, place, RetryPolicy(), draw, Deadline(600))
                    limiter.left_answered(slot)

            await asyncio.gather(*(worker() for _ in range(workers)))

        run(work())
        return self

    def rate(self, begin: float, end: float) -> float:
        return sum(begin <= at < end for at in self.done) / (end - begin)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", [None, 0.5, 2.0, 7.0])
def test_after_a_burst_the_pace_is_back_within_seconds_of_the_first_answer(
    status: int, retry_after: float | None
) -> None:
    burst = Burst(status, retry_after).served(75)
    first = min(at for at in burst.done if at > 50)
    assert first < 50 + 9
    assert burst.rate(first + 4, first + 14) > 0.9 * burst.rate(10, 20)
    assert burst.refused < 2 * 64, "a probe now and then, not all of them"


def test_the_pace_is_back_as_soon_where_few_slow_calls_are_under_way() -> None:
    burst = Burst(429, None)
    burst.served(110, workers=4)
    assert burst.rate(62, 110) > 0.9 * burst.rate(5, 20)


# --- arithmetic


def broken(own: bool = False) -> AttemptError:
    return AttemptError("connection", again=True, reached=own)


def ids() -> Iterator[int]:
    return iter(range(1000))


def test_what_may_be_one_request_s_doing_opens_only_with_several_requests() -> None:
    alone, several, away = Breaker(), Breaker(), Breaker()
    for now in range(20):
        alone.failed(now, 7, broken(own=True), probe=False)
        several.failed(now, now % 3, broken(own=True), probe=False)
    for now in range(AWAY_AFTER):
        away.failed(now, 7, broken(), probe=False)
    assert not alone.open and several.open and away.open


def test_probes_come_at_growing_intervals_and_an_answer_from_before_closes_nothing() -> None:
    breaker, waits = Breaker(longest_wait=8.0), []
    now = 100.0
    for _ in range(AWAY_AFTER):
        breaker.failed(now, 1, broken(), probe=False)
    for _ in range(6):
        waits.append(breaker.delay(now))
        now += waits[-1]
        assert breaker.delay(now) == 0 and breaker.started()
        assert breaker.delay(now) == float("inf"), "one at a time"
        assert not breaker.answered(started=99.0)
        breaker.failed(now, 1, broken(), probe=True)
    assert waits == [1, 2, 4, 8, 8, 8]
    assert breaker.answered(started=now) and breaker.delay(now) == 0


@pytest.mark.parametrize(
    ("told", "later", "line"),
    [
        (Waiting(reason="server", since=datetime.now(UTC)), 40, "waiting for the server, 40 s"),
        (Waiting(reason="server", since=datetime.now(UTC)), 1800, "waiting for the server, 30 min"),
        (Waiting(reason="limit", since=datetime.now(UTC), status=429), 20, "429, waiting, 20 s"),
    ],
)
def test_a_wait_is_told_in_one_line(told: Waiting, later: float, line: str) -> None:
    assert told.line(told.since + timedelta(seconds=later)) == line


def test_a_wait_that_was_asked_for_is_told_with_its_end_by_the_clock_on_the_wall() -> None:
    now = datetime.now(UTC)
    end = now + timedelta(minutes=10)
    told = Waiting(reason="limit", since=now, until=end, status=429)
    assert told.line(now) == f"429, waiting until {end.astimezone():%H:%M}"
    assert told.line(end - timedelta(seconds=30)) == f"429, waiting until {end.astimezone():%H:%M:%S}"


async def test_the_studio_s_own_worker_is_asked_all_at_once_from_the_start(tmp_path: Path) -> None:
    together = asyncio.Event()

    async def answer(_: object) -> str:
        if server.most_at_once == 60:
            together.set()
        await together.wait()  # nobody is answered before all are there
        return "hi"

    server = FakeServer(answer, uds=tmp_path / "s.sock")
    settings = ModelSettings(endpoint="http://studio/v1", uds=str(tmp_path / "s.sock"), max_concurrent=128)
    async with server:
        model = OpenAIModel(settings, "base")
        await asyncio.gather(*(model.complete(asked(f"Number {n}?", purpose="probe")) for n in range(60)))
        await model.close()
