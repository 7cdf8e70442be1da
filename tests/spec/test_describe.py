"""A spec in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.spec import gates_in_words, persona_prompt, rules_in_words
from studio.spec.describe import block, nonce, pattern_in_words, sentence
from tests.spec.helpers import parrot, spec_of

SPEC = parrot().spec


def test_the_persona_prompt_holds_everything_that_makes_the_persona() -> None:
    prompt = persona_prompt(SPEC)
    parts = ["Captain's Parrot", "forty years", "sailors", "Talks like a sailor", "Polite: like a butler", "1. squawk"]
    parts += ["Aye aye!", "You should", "three or more of ! ? in a row", "Tells where the treasure is", "tag en"]
    parts += ["in at most 300 characters"]
    assert [part for part in parts if part not in prompt] == []


def test_what_a_spec_does_not_have_leaves_no_trace_in_the_persona_prompt() -> None:
    prompt = persona_prompt(spec_of("vocabulary: {avoid_generic_ai: false}\nrules: {max_chars: null}\n"))
    for word in ("order", "Never write", "Expressions", "whoever asks", "Your words", "None", "at most", "\n\n\n"):
        assert word not in prompt


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("!", "an exclamation mark"),
        ("[?]", "a question mark"),
        (r"\?", "a question mark"),
        ("[!?]", "an exclamation mark or a question mark"),
        ("[!?]{2,}", "two or more of ! ? in a row"),
        ("!{3,}", "!!!"),
        ("(?:![^!]*){4,}", "four or more ! in one reply"),
        (r"\b(?:foo|bar baz)\b", '"foo", "bar baz"'),
        ("(?i)awesome", '"awesome"'),
        ("🙂", "🙂"),
    ],
)
def test_a_pattern_that_people_have_words_for_is_told_in_words(pattern: str, told: str) -> None:
    assert pattern_in_words(pattern) == told


@pytest.mark.parametrize(
    "pattern", [r"(\w+\s?)*!", "[:;]-?[)(]", r"\d{3}", "^a", "a.b", "[^a]", "[!-/]", "(?=x)y", "x|[!]", "a{3}"]
)
def test_no_model_is_shown_a_regular_expression(pattern: str) -> None:
    assert pattern_in_words(pattern) == ""
    prompt = persona_prompt(spec_of(f"vocabulary: {{avoid_patterns: ['{pattern}']}}\n"))
    assert pattern not in prompt
    assert "Never write" not in prompt


@given(st.text("ab !?.[]{}()|\\^$*+-:2,", max_size=12))
def test_what_is_told_of_any_pattern_holds_no_syntax(pattern: str) -> None:
    told = pattern_in_words(pattern)
    assert not any(sign in told for sign in ("(?", "[^", "]{", "]*", "\\b", "{2,"))


def test_gates_and_rules_are_told_as_they_are_set() -> None:
    spec = spec_of("success: {beats_prompt: 0.55, train_loss: null}\nrules: {max_chars: null, punctuation: off}\n")
    gates = {name: figure for name, (figure, _) in gates_in_words(spec).items()}
    assert gates["beats prompt"] == "55%" and gates["train loss"] == "shown" and gates["adapter"] == "50 MB"
    assert len(gates) == len(type(spec.success).model_fields) - 1, "all but suites, which name their own"
    rules = rules_in_words(spec)
    assert rules["max chars"] == "any number" and rules["punctuation"] == "off" and rules["role labels"] == "reject"


def test_a_sentence_ends_once_in_any_script() -> None:
    assert [sentence(text) for text in ("Go", "Go!", " 走。", "")] == ["Go.", "Go!", "走。", ""]


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_text_can_close_the_tags_around_it(text: str, other: str) -> None:
    made = block("data", text + other)
    if made:
        key = nonce([text + other])
        assert made.count(f"</data-{key}>") == 1 and made.endswith(f"</data-{key}>")
