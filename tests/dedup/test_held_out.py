"""What is held out is found again, whatever is said around it."""

from __future__ import annotations

import pytest

from studio.chatml import assistant, user
from studio.dedup import HeldOut

TEXTS = (
    "Remind me to text Lucy at 8 am.",
    "I'm exhausted.",
    "What is on my list for Thursday?",
    "Hello?",
    "It is missing.",
    "雪国を予約してください。",
)
HELD_OUT = HeldOut(TEXTS)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("remind me to text lucy at 8 AM", 0),
        ("Hey, please remind me to text Lucy at 8 am. Thanks!", 0),
        ("Remind me to text Lucy tomorrow at 8 am.", 0),
        ("Um, I\u2019m exhausted!!", 1),
        ("I'm exhausted. One last thing.", 1),
        ("Hello.", 3),
        ("I had the ring. It is missing. Where can it be?", 4),
        ("すみません、雪国を予約してください。", 5),
    ],
)
def test_a_held_out_text_is_found_among_other_words_and_with_another_word_in_it(said: str, text: int) -> None:
    assert HELD_OUT.said_in(said) == TEXTS[text]


@pytest.mark.parametrize(
    "said",
    [
        "Remind me to call mom at 8 am.",
        "What is on my list for Friday?",
        "Hello, could you please tell me where I find my tasks?",
        "I am exhausted by all the tasks that are on my list today.",
        "Is the ring missing?",
        "雪国に行きました。",
        "",
    ],
)
def test_what_only_resembles_it_is_free(said: str) -> None:
    assert HELD_OUT.said_in(said) is None


def test_only_what_a_user_says_counts() -> None:
    turns = (user("Hm."), assistant("I'm exhausted."), user("Me too: I'm exhausted."), assistant("Rest, then."))
    assert HELD_OUT.asked_in(turns) == "I'm exhausted."
    assert HELD_OUT.asked_in(turns[:2]) is None


def test_without_texts_nothing_is_held_out() -> None:
    assert HeldOut(()).said_in("Hello?") is None
