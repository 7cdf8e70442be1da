"""What reads well and what does not."""

from __future__ import annotations

from random import Random

import pytest
from studio.judge.offline.counting import counted
from studio.judge.offline.fluency import flaws_of, fluency
from studio.judge.offline.neighbours import TABLE, odd
from studio.judge.offline.text import Text, sentences_of

from studio.text.normalize import folded
from tests.judge.english import GOOD, UNUSUAL
from tests.judge.making import shipped


def value(reply: str, *, english: bool = True, ends_marked: bool = True) -> float:
    return fluency(flaws_of(Text(reply), english=english, ends_marked=ends_marked)).value


@pytest.mark.parametrize(
    "reply",
    [
        "The the list is done.",
        "I added it to your list and then",
        "I added 'buy milk to your list.",
        'I added "buy milk to your list.',
        "I added (buy milk to your list.",
        "I hear you, and you' gentle!",
        "You take a break and then take a break and take a short break.",
        "It is done. It is done.",
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
        "1. Send the report. 2. Rest.",
        "Done \U0001f389",
        "Rock 'n' roll in the '90s, see you 'til Friday.",
        *GOOD,
    ],
)
def test_good_english_is_left_alone(reply: str) -> None:
    assert value(reply) == 1
    assert not odd(reply)


def test_of_sentences_full_of_small_words_hardly_one_is_odd() -> None:
    assert sum(map(odd, UNUSUAL)) <= 1


def test_most_sentences_with_their_words_shuffled_are_odd() -> None:
    random = Random(1)
    shuffled = []
    for sentence in (GOOD + UNUSUAL) * 5:
        words = sentence.rstrip(".?").split()
        random.shuffle(words)
        shuffled.append(" ".join(words))
    assert sum(map(odd, shuffled)) / len(shuffled) >= 0.6


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_no_sentence_of_the_shipped_specs_is_odd(name: str) -> None:
    spec = shipped(name).spec
    texts = [turn.content for example in spec.examples for turn in example.turns]
    texts += [phrase for step in spec.patterns for phrase in step.phrases] + [spec.purpose, spec.identity]
    texts += shipped(name).context_text.splitlines()
    assert [sentence.text for text in texts for sentence in sentences_of(folded(text)) if odd(sentence.text)] == []


def test_neighbours_are_counted_in_any_text() -> None:
    table = dict(
        line.split(" ") for line in counted(["The cat is on the mat. It is on the mat, and so is he."]).splitlines()
    )
    names = sorted(table)
    assert names == sorted(line.split(" ")[0] for line in TABLE.read_text().splitlines())
    assert table["on"][names.index("the")] > table["the"][names.index("on")]


def test_a_persona_that_ends_without_a_mark_may() -> None:
    assert value("all of it is done now", ends_marked=False) == 1


@pytest.mark.parametrize("reply", ["Vous vous sentez mieux.", "Das ist die, die ich meine.", "Dat is dat dat."])
def test_other_languages_double_words(reply: str) -> None:
    assert value(reply, english=False) == 1


def test_a_script_without_spaces_repeats_its_characters() -> None:
    assert value("お問い合わせありがとうございます。こころは一冊ございます。予約なさいますか。", english=False) == 1


def test_the_more_is_wrong_the_less_is_left() -> None:
    assert value("A a list is is up") < value("A a list is up.") < value("A list is up.")


def test_sentences_keep_their_marks_and_quotes() -> None:
    text = "OK. 'Buy milk' is on it! He said 'no.' 1. Go home. At 9.15 too?"
    assert [sentence.text for sentence in sentences_of(text)] == [
        "OK.", "'Buy milk' is on it!", "He said 'no.'", "1. Go home.", "At 9.15 too?"
    ]  # fmt: skip
    assert [sentence.text for sentence in sentences_of("好的。已经加好了!")] == ["好的。", "已经加好了!"]
