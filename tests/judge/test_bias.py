"""A judge's known biases: for length, for a place, for its own family."""

from __future__ import annotations

import pytest

from studio.judge.bias import family, family_warning, length_correlation, order_consistency, same_family
from studio.judge.types import Comparison, Winner


def compared(first: Winner, second: Winner, **more: str) -> Comparison:
    return Comparison.model_validate({"winner": "tie", "orders": (first, second), **more})


def test_verdicts_that_change_with_the_order_are_counted_by_the_place_they_prefer() -> None:
    found = order_consistency(
        [
            compared("first", "second"),
            compared("tie", "tie"),
            compared("first", "first"),
            compared("second", "second"),
            compared("first", "tie"),
            compared("tie", "tie", error="no answer"),
            compared("tie", "tie", rationale="Both replies are the same."),
            None,
        ]
    )
    assert found is not None and (found.n, found.consistent, found.first, found.second) == (5, 2, 1, 1)
    assert order_consistency([None, compared("tie", "tie", error="no answer")]) is None


def test_marks_that_rise_with_the_words_are_seen() -> None:
    assert length_correlation([(n, float(n)) for n in range(10)]) == pytest.approx(1.0)
    assert length_correlation([(n, -float(n)) for n in range(10)]) == pytest.approx(-1.0)
    assert length_correlation([(1, 0.0), (1, 1.0), (2, 0.0), (2, 1.0)] * 5) == pytest.approx(0.0)
    assert length_correlation([(n, 1.0) for n in range(10)]) is None
    assert length_correlation([(n, float(n)) for n in range(9)]) is None


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-5-mini", "OpenAI"),
        ("openai/gpt-oss-20b", "OpenAI"),
        ("o3-mini", "OpenAI"),
        ("claude-sonnet-4-5", "Claude"),
        ("anthropic/claude-3.5-haiku", "Claude"),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama"),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "Llama"),
        ("Qwen/Qwen3-8B", "Qwen"),
        ("qwq-32b", "Qwen"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mistral"),
        ("google/gemma-3-27b-it", "Gemini and Gemma"),
        ("gemini-2.5-flash", "Gemini and Gemma"),
        ("deepseek-chat", "DeepSeek"),
        ("microsoft/Phi-4-mini-instruct", "Phi"),
        ("command-r-plus", "Command"),
        ("smollm2", "SmolLM"),
        ("HuggingFaceTB/SmolLM3-3B", "SmolLM"),
        ("my-own-model", None),
        ("ollama", None),
    ],
)
def test_a_model_s_family_is_known_by_its_name(model: str, known: str | None) -> None:
    assert family(model) == known


def test_judge_and_author_of_one_family_are_pointed_out_and_unknown_ones_are_not() -> None:
    assert same_family("gpt-5", "openai/gpt-4.1-mini") == "OpenAI"
    assert same_family("gpt-5", "claude-opus-4") is None and same_family("mine", "mine") is None
    assert "(OpenAI)" in family_warning("gpt-5", "claude-opus-4 + gpt-4.1")
    assert family_warning("gpt-5", "learned judge") == family_warning("written by hand", "gpt-5") == ""
