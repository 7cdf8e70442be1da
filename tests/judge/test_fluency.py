"""What reads well and what does not."""

from __future__ import annotations

import pytest

from studio.judge.offline.fluency import fluency
from studio.judge.offline.joints import broken_joints
from studio.judge.offline.text import Text, sentences_of
from tests.judge.making import shipped


def value(reply: str, *, english: bool = True, ends_marked: bool = True) -> float:
    return fluency(Text(reply), english=english, ends_marked=ends_marked).value


@pytest.mark.parametrize(
    "reply",
    [
        "The the list is done.",
        "I added it to your list and then",
        "I added 'buy milk to your list.",
        'I added "buy milk to your list.',
        "I added (buy milk to your list.",
        "I hear you, and you' gentle!",
        "Thank you for being win!",
        "Let's next one task.",
        "You take a break and then take a break and take a short break.",
        "I moved the meeting to your shall.",
    ],
)
def test_a_stumble_is_heard(reply: str) -> None:
    assert value(reply) < 0.75


@pytest.mark.parametrize(
    "reply",
    [
        "The users' list is done, and that's that.",
        "She said 'done.' Then we moved 'x' to May 20th.",
        "Let's start with that. That is all.",
        "It was very, very good. Bye bye!",
        "What shall we start with?",
        "The US plan (plan A or B) is what I will be open to.",
        "1. Send the report. 2. Rest.",
        "Done \U0001f389",
        "Rock 'n' roll in the '90s, see you 'til Friday.",
    ],
)
def test_good_english_is_left_alone(reply: str) -> None:
    assert value(reply) == 1


def test_a_persona_that_ends_without_a_mark_may() -> None:
    assert value("all of it is done now", ends_marked=False) == 1


def test_grammar_is_only_known_in_english() -> None:
    assert value("Das ist der to is list.", english=False) == 1


def test_the_more_is_wrong_the_less_is_left() -> None:
    assert value("A a list of the to.") < value("A a list of it.") < value("A list of it.")


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_no_sentence_of_the_shipped_specs_is_called_broken(name: str) -> None:
    spec = shipped(name).spec
    texts = [turn.content for example in spec.examples for turn in example.turns]
    texts += [phrase for step in spec.patterns for phrase in step.phrases] + [spec.purpose, spec.identity]
    texts += shipped(name).context_text.splitlines()
    assert {text: found for text in texts for s in sentences_of(text) if (found := broken_joints(s.text))} == {}


def test_sentences_keep_their_marks_and_quotes() -> None:
    text = "OK. 'Buy milk' is on it! He said 'no.' 1. Go home. At 9.15 too?"
    assert [sentence.text for sentence in sentences_of(text)] == [
        "OK.", "'Buy milk' is on it!", "He said 'no.'", "1. Go home.", "At 9.15 too?"
    ]  # fmt: skip
    assert [sentence.text for sentence in sentences_of("好的。已经加好了!")] == ["好的。", "已经加好了!"]
