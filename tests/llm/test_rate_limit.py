"""The limits learned from 429s alone, on simulated endpoints and virtual time: how much of what is allowed is used."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from studio.llm.errors import AttemptError
from studio.llm.limiter import Limiter, Slot
from studio.llm.rate_limit import RateLimit
from studio.llm.retry import Deadline, RetryPolicy, with_retries
from studio.llm.types import Purpose
from tests.llm.virtual_time import run


@dataclass
class Rule:
    """What an endpoint allows: so many at once, or a bucket refilled at ``rate`` a second that holds ``burst``."""

    at_once: float = math.inf
    rate: float = math.inf
    burst: float = 1.0
    named: float | None = None
    """Calls a minute in its headers."""
    retry_after: float | None = None


class Endpoint:
    """Answers after about ``latency`` seconds, and refuses at once."""

    def __init__(self, rule: Rule, latency: float) -> None:
        self.rule, self.latency, self.draw = rule, latency, Random(7)
        self.open = self.refused = self.done = 0
        self.tokens, self.filled = rule.burst, 0.0

    async def ask(self) -> None:
        await asyncio.sleep(0.002)
        now, rule = asyncio.get_running_loop().time(), self.rule
        if math.isfinite(rule.rate):
            self.tokens = min(rule.burst, self.tokens + (now - self.filled) * rule.rate)
            self.filled = now
        if self.open >= rule.at_once or self.tokens < 1:
            self.refused += 1
            raise AttemptError("limit", status=429, again=True, wait=rule.retry_after)
        self.tokens -= math.isfinite(rule.rate)
        self.open += 1
        await asyncio.sleep(self.latency * self.draw.lognormvariate(0, 0.4))
        self.open -= 1
        self.done += 1


def serve(rule: Rule, calls: int, *, most: int = 64, latency: float = 0.3) -> tuple[float, Endpoint, RateLimit]:
    """Seconds that ``calls`` calls, all wanted at once, took."""
    endpoint, limits = Endpoint(rule, latency), RateLimit(most)

    async def work() -> float:
        limiter, draw = Limiter(limits), Random(3)

        async def one() -> None:
            _, entered = await with_retries(
                endpoint.ask, limiter, limiter.place("author"), RetryPolicy(), draw, Deadline(600)
            )
            if rule.named is not None:
                limits.name_rate(rule.named)
            limiter.left_answered(entered)

        await asyncio.gather(*(one() for _ in range(calls)))
        return asyncio.get_running_loop().time()

    return run(work()), endpoint, limits


def test_an_endpoint_without_limits_is_used_in_full() -> None:
    seconds, endpoint, limits = serve(Rule(), 3000, most=64)
    ideal = 3000 * 0.325 / 64
    assert seconds < 1.1 * ideal
    assert endpoint.refused == 0
    assert limits.window == 64


@pytest.mark.parametrize(("at_once", "share", "wasted"), [(2, 0.9, 30), (6, 0.9, 15), (24, 0.8, 3), (45, 0.8, 3)])
def test_a_cap_on_calls_at_once_is_found(at_once: int, share: float, wasted: int) -> None:
    seconds, endpoint, limits = serve(Rule(at_once=at_once), 1500)
    assert endpoint.done == 1500
    assert 1500 * 0.325 / at_once / seconds > share
    assert endpoint.refused <= wasted
    assert limits.rate is None


@pytest.mark.parametrize(
    ("rate", "burst", "share", "wasted"), [(4.0, 8.0, 0.9, 60), (15.0, 15.0, 0.9, 60), (40.0, 40.0, 0.9, 60)]
)
@pytest.mark.parametrize("retry_after", [None, 0.5])
def test_a_rate_is_found_without_headers(
    rate: float, burst: float, share: float, wasted: int, retry_after: float | None
) -> None:
    calls = int(rate * 120)
    seconds, endpoint, _ = serve(Rule(rate=rate, burst=burst, retry_after=retry_after), calls)
    assert endpoint.done == calls
    assert calls / (burst + rate * seconds) > share
    assert endpoint.refused <= wasted


def test_a_rate_without_any_burst_is_found_too() -> None:
    seconds, endpoint, _ = serve(Rule(rate=8), 960)
    assert 960 / (8 * seconds) > 0.7
    assert endpoint.refused <= 40


@pytest.mark.parametrize("a_minute", [300, 1200])
def test_a_rate_that_is_named_is_kept_nearly_without_refusals(a_minute: int) -> None:
    rate = a_minute / 60
    rule = Rule(rate=rate, burst=16, named=a_minute)
    seconds, endpoint, limits = serve(rule, 2 * a_minute)
    assert 2 * a_minute / (16 + rate * seconds) > 0.94
    assert endpoint.refused <= 8
    assert limits.rate == pytest.approx(0.985 * rate)


@pytest.mark.parametrize(("a_minute", "burst"), [(300, 1), (300, 5), (600, 1), (600, 10), (1200, 20)])
def test_a_named_rate_is_kept_where_answers_take_long_and_nothing_is_let_through_beyond_it(
    a_minute: int, burst: int
) -> None:
    seconds, endpoint, limits = serve(Rule(rate=a_minute / 60, burst=burst, named=a_minute), 2 * a_minute, latency=2.0)
    assert 2 * a_minute / (burst + a_minute / 60 * seconds) > 0.92
    assert endpoint.refused <= 8, "those that were sent before the first answer"
    assert limits.ceiling is None, "they were refused for the rate, and not for too many at once"


@pytest.mark.parametrize("at_once", [4, 8])
def test_a_cap_on_calls_at_once_is_found_though_a_rate_is_named_that_it_never_comes_to(at_once: int) -> None:
    seconds, endpoint, _ = serve(Rule(at_once=at_once, rate=50, burst=50, named=3000), 1500)
    assert 1500 * 0.325 / at_once / seconds > 0.9
    assert endpoint.refused <= 20


def test_before_the_first_answer_few_are_asked() -> None:
    fresh, known, served = RateLimit(), RateLimit(), RateLimit(64, start=64)
    known.begin_with({"window": 40.0})
    for limits, most in ((fresh, 8), (known, 40), (served, 64)):
        while limits.delay(0.0) == 0.0:
            limits.started(0.0)
        assert limits.in_flight == most
    fresh.succeeded(1.0, 1.0)
    assert fresh.delay(1.0) == 0.0


def test_a_rate_of_tokens_that_is_named_is_kept() -> None:
    limits = RateLimit(64)
    for now in range(40):
        limits.started(now)
        limits.succeeded(now + 0.5, 0.5)
        limits.name_tokens(now + 0.5, 1000, 120_000, left=50_000, back=10.0)
    assert limits.rate == pytest.approx(0.985 * 2), "1,000 tokens a call, 120,000 a minute"
    assert limits.delay(100) == 0
    limits.name_tokens(100, 1000, 120_000, left=400, back=3.0)
    assert limits.delay(100) == 3.0, "what is left would not do for a call"


@pytest.mark.parametrize("lanes", [4, 24])
def test_the_window_stays_where_more_calls_bring_no_more_answers(lanes: int) -> None:
    async def work() -> RateLimit:
        limits, free = RateLimit(512), asyncio.Semaphore(lanes)
        limiter, draw, loop = Limiter(limits), Random(6), asyncio.get_running_loop()

        async def generate() -> None:
            async with free:  # the server takes any number, and works on so many
                await asyncio.sleep(2 * draw.lognormvariate(0, 0.4))

        async def worker() -> None:
            while loop.time() < 600:
                _, slot = await with_retries(
                    generate, limiter, limiter.place("author"), RetryPolicy(), draw, Deadline(600)
                )
                limiter.left_answered(slot)

        await asyncio.gather(*(worker() for _ in range(512)))
        return limits

    assert lanes <= run(work()).window <= 8 * lanes + 16


def test_a_window_that_is_not_used_does_not_grow() -> None:
    limits = RateLimit(512)
    for now in range(200):
        limits.started(now)
        limits.succeeded(now + 0.5, 0.5)
    assert limits.window == 16


def test_timeouts_shrink_the_window_once_a_round_trip() -> None:
    limits = RateLimit(64)
    for _ in range(3):
        limits.started(0.0)
    for _ in range(3):
        limits.slow(120.0, 0.0)
    assert limits.window == pytest.approx(0.8 * 16)


def test_the_window_is_cut_once_a_round_trip_and_regrows_to_less_than_what_failed() -> None:
    limits = RateLimit(64)
    for _ in range(16):
        limits.started(0.0)
    for _ in range(16):
        limits.succeeded(1.0, 1.0)
    assert limits.window == 32
    for _ in range(32):
        limits.started(1.0)
    limits.refused(1.1, 1.0, None)
    assert limits.ceiling == 32
    assert limits.window == pytest.approx(25.6)
    limits.refused(1.2, 1.0, None)
    assert limits.ceiling == 31
    assert limits.window == pytest.approx(24.8)
    for _ in range(30):
        limits.succeeded(2.0, 1.0)
    assert limits.window == pytest.approx(0.85 * 31)


def test_three_429s_in_two_seconds_hold_all_calls_back_as_long_as_the_last_one_said() -> None:
    limits = RateLimit(64)
    for _ in range(4):
        limits.started(0.0)
    limits.refused(0.5, 0.0, 7.0)
    limits.refused(0.6, 0.0, 7.0)
    limits.ended()
    assert limits.delay(0.7) == 0
    limits.refused(0.7, 0.0, 7.0)
    assert limits.delay(0.7) == pytest.approx(7.0)
    assert limits.delay(7.8) == 0


def test_a_limit_that_is_lifted_is_found_again() -> None:
    limits = RateLimit(40)
    for now in range(3):
        limits.started(float(now))
        limits.refused(now + 0.1, float(now), None)
    found = limits.rate
    assert found is not None
    for now in range(3, 400):
        limits.started(float(now))
        limits.succeeded(now + 0.5, 0.5)
    assert limits.rate is not None
    assert limits.rate > 3 * found


def test_judges_go_first_and_a_call_keeps_its_place() -> None:
    entered: list[str] = []

    async def work() -> None:
        limiter = Limiter(RateLimit(1))
        holder = await limiter.enter(limiter.place("author"))

        async def one(name: str, place: tuple[int, int]) -> None:
            entered_at = await limiter.enter(place)
            entered.append(name)
            limiter.left_answered(entered_at)

        retried = limiter.place("author")
        tasks = [asyncio.create_task(one("author", limiter.place("author")))]
        tasks.append(asyncio.create_task(one("judge", limiter.place("judge"))))
        tasks.append(asyncio.create_task(one("retried author", retried)))
        tasks.append(asyncio.create_task(one("cancelled", limiter.place("judge"))))
        await asyncio.sleep(0.1)
        tasks[-1].cancel()
        await asyncio.sleep(0)
        limiter.left_answered(holder)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.limit.in_flight == 0

    run(work())
    assert entered == ["judge", "retried author", "author"]


def test_a_call_that_waits_holds_no_slot() -> None:
    async def work() -> float:
        limiter, draw = Limiter(RateLimit(1)), Random(1)
        answers = iter([AttemptError("limit", status=429, again=True, wait=4.0), None])

        async def refused_once() -> None:
            if (failure := next(answers)) is not None:
                raise failure

        async def fine() -> None:
            return None

        def tried(send: Callable[[], Awaitable[None]], purpose: Purpose) -> Coroutine[Any, Any, tuple[None, Slot]]:
            return with_retries(send, limiter, limiter.place(purpose), RetryPolicy(), draw, Deadline(600))

        slow = asyncio.create_task(tried(refused_once, "judge"))
        _, entered = await tried(fine, "author")
        limiter.left_answered(entered)
        assert asyncio.get_running_loop().time() < 1
        _, entered = await slow
        limiter.left_answered(entered)
        return asyncio.get_running_loop().time()

    assert 4 <= run(work()) <= 5.1
