"""What servers send is read without trust: headers, usage, thoughts, JSON among text."""

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from studio.llm.errors import AttemptError
from studio.llm.prices import total
from studio.llm.response import (
    Rates,
    ReasoningFilter,
    duration,
    named_rate,
    named_rates,
    read_answer,
    read_piece,
    without_reasoning,
)
from studio.llm.structured import mostly_white, validated
from studio.llm.types import Usage
from tests.llm.helpers import Mark


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("1h2m", 3720),
        ("2.5", 2.5),
        ("soon", None),
        ("-1", None),
        (None, None),
    ],
)
def test_durations_are_read_in_every_shape(text: str | None, value: float | None) -> None:
    assert duration(text) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("limit", "left", "reset", "rate"),
    [
        ("600", "599", "100ms", 600),  # a minute, refilled steadily
        ("600", "300", "30s", 600),  # a minute in a fixed window
        ("10000", "9999", "8.64s", None),  # a day, by proportion
        ("14400", "14370", "2m59.56s", None),  # a day, by a long reset
        ("600", None, None, 600),
        ("0", None, None, None),
        ("many", None, None, None),
    ],
)
def test_a_named_limit_is_told_from_a_quota_of_the_day(
    limit: str, left: str | None, reset: str | None, rate: float | None
) -> None:
    named = {"limit": limit, "remaining": left, "reset": reset}
    headers = {f"x-ratelimit-{name}-requests": value for name, value in named.items() if value is not None}
    assert named_rate(headers) == rate


def test_missing_and_null_fields_are_not_an_error() -> None:
    answer = read_answer(b'{"choices": [{"message": {"content": null}, "extra": 1}], "usage": null}', {})
    assert (answer.text, answer.finish, answer.tokens.prompt_tokens, answer.rates.calls) == ("", "stop", 0, None)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "Hello "}, {"type": "text", "text": "you."}], "Hello you."),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hi."}], "Hi."),
        ([{"type": "output_text", "text": "Hi."}, {"type": "reasoning", "text": "Hm."}], "Hi."),
        (["Hel", "lo"], "Hello"),
        ([{"text": "Hi."}, None, 3, {"type": "text", "text": None}], "Hi."),
        ([], ""),
    ],
)
def test_content_that_is_a_list_of_parts_is_read(content: list[Any], text: str) -> None:
    assert read_answer(json.dumps({"choices": [{"message": {"content": content}}]}).encode(), {}).text == text
    assert read_piece({"choices": [{"delta": {"content": content}}]}).text == text


def test_rates_of_calls_and_tokens_are_read() -> None:
    headers = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "29000",
        "x-ratelimit-reset-tokens": "2s",
    }
    assert named_rates(headers) == Rates(500, 30_000, 29_000, 2.0)
    assert named_rates({"x-ratelimit-limit-tokens": "many"}) == Rates()


@pytest.mark.parametrize(
    ("usage", "prompt", "completion", "cached"),
    [
        ('{"prompt_tokens": null, "completion_tokens": 3}', 0, 3, 0),
        ('{"prompt_tokens": 1.5, "completion_tokens": -1}', 1, 0, 0),
        ('{"prompt_tokens": "many", "completion_tokens": 1e999}', 0, 0, 0),
        ('{"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2.0}}', 3, 0, 2),
        ('{"prompt_tokens": 3, "prompt_tokens_details": []}', 3, 0, 0),
        ('{"prompt_tokens": [1]}', 0, 0, 0),
        ("[]", 0, 0, 0),
        ('"none"', 0, 0, 0),
    ],
)
def test_a_usage_that_makes_no_sense_costs_no_answer(usage: str, prompt: int, completion: int, cached: int) -> None:
    answer = read_answer(f'{{"choices": [{{"message": {{"content": "hi"}}}}], "usage": {usage}}}'.encode(), {})
    assert answer.text == "hi"
    tokens = answer.tokens
    assert (tokens.prompt_tokens, tokens.completion_tokens, tokens.cached) == (prompt, completion, cached)


def test_half_a_character_in_a_reply_costs_no_more_than_itself() -> None:
    answer = read_answer(rb'{"choices": [{"message": {"content": "\ud83d\ude42 and \ud83d."}}]}', {})
    assert answer.text == "\U0001f642 and \ufffd."


def test_a_refusal_is_told_on_one_line() -> None:
    with pytest.raises(AttemptError) as caught:
        read_answer(rb'{"choices": [{"message": {"refusal": "No.\n\u001b[31m\ud83d"}}]}', {})
    assert (caught.value.kind, caught.value.said) == ("refused", "No. \ufffd[31m\ufffd")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"choices": "x"}', b"\xff\xfe", b"[" * 100_000])
def test_nonsense_is_malformed(body: bytes) -> None:
    with pytest.raises(AttemptError) as caught:
        read_answer(body, {})
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello.", "Hello."),
        ("<think>a</think>\n\n<think>b</think> Hello.", "Hello."),
        ("<think>never ends", ""),
        ("opened by the template</think> Hello.", "Hello."),
        ("I <think> so.", "I <think> so."),
        ('{"a": "</think>"}', '{"a": "</think>"}'),
    ],
)
def test_thoughts_are_taken_off(text: str, said: str) -> None:
    assert without_reasoning(text) == said


@given(
    st.lists(
        st.sampled_from(
            ["<think>", "</think>", "<thinking>", "</thinking>", "<thi", "n", ">", "<", "/", " ", "\n", "a"]
        )
    ),
    st.integers(1, 9),
)
@example(["<think>", "a", "</think>", "<thi", "n", "k>"], 4)
@example([" ", "<think>", "a", "<b", "</think>", " Hi <b>you</b>"], 1)
def test_in_pieces_thoughts_are_taken_off_just_the_same(parts: list[str], size: int) -> None:
    text = "".join(parts)
    assume(text.lstrip().startswith("<think") or "</think>" not in text)  # one that the template opened is shown
    shown = ReasoningFilter()
    pieces = [shown.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join(pieces) + shown.end() == without_reasoning(text)


def test_a_thought_that_the_template_opened_is_shown_in_a_stream() -> None:
    shown = ReasoningFilter()
    assert [shown.feed(piece) for piece in ("I should ", "greet.</think>", "Hi")] == [
        "I should ",
        "greet.</think>",
        "Hi",
    ]


@pytest.mark.parametrize("piece", ["and ", " ", "</b>"])
def test_a_long_thought_costs_no_more_by_the_piece_than_a_short_one(piece: str) -> None:
    """Every piece is looked at, and nothing that came before it."""
    shown = ReasoningFilter()
    shown.feed("<think> the </b> tag")
    for _ in range(50_000):
        assert shown.feed(piece) == ""
    assert len(shown._held) < 20


def test_plain_text_is_shown_at_once() -> None:
    shown = ReasoningFilter()
    assert [shown.feed(piece) for piece in ("Hel", "lo ", "<think>")] == ["Hel", "lo ", "<think>"]


def test_problems_name_their_place() -> None:
    assert validated('{"calm": 3}', Mark) == "calm: Input should be 0, 1 or 2; brief: Field required"
    assert isinstance(validated("{" * 5000, Mark), str)
    assert isinstance(validated('{"a":' * 5000, Mark), str)


def test_white_space_loops_are_told_from_long_text() -> None:
    assert mostly_white('{"calm": 1' + "\n " * 100)
    assert not mostly_white("word " * 100)
    assert not mostly_white("  ")


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    known, unknown = Usage(prompt_tokens=1, cost_usd=0.5), Usage(prompt_tokens=2, cost_usd=None)
    assert total([known, known]) == Usage(prompt_tokens=2, cost_usd=1.0)
    assert total([known, unknown]).cost_usd is None
