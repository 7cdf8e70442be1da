"""Which words of a request are in its reply."""

from __future__ import annotations

import pytest

from studio.evaluate.probes import keeps


@pytest.mark.parametrize(
    ("reply", "phrases"),
    [
        ("Your reminder: texting Lucy at 8 am.", ("text Lucy", "8 am")),
        ("At 8 am I will remind you to text Lucy.", ("text Lucy", "8 am")),
        ("The reports are due on June 1st.", ("the report", "June 1st")),
        ("I set it for 9:15 am.", ("9:15 am",)),
        ("はい、月曜日まで雪国を予約しました。", ("雪国", "月曜日")),
    ],
)
def test_words_are_kept_in_any_order_and_with_any_ending(reply: str, phrases: tuple[str, ...]) -> None:
    assert keeps(reply, phrases) is True


@pytest.mark.parametrize(
    ("reply", "phrases"),
    [
        ("I am at it: 80 tasks.", ("8 am",)),
        ("Done at 55, by pmx.", ("5 pm",)),
        ("I moved it to 9:45 am.", ("9:15 am",)),
        ("I will text her at 8 am.", ("text Lucy", "8 am")),
        ("An amber light at 8.", ("8 am",)),
        ("はい、国の雪を予約しました。", ("雪国",)),
    ],
)
def test_a_number_or_a_word_that_is_another_is_not_kept(reply: str, phrases: tuple[str, ...]) -> None:
    assert keeps(reply, phrases) is False


def test_where_there_is_nothing_to_keep_nothing_is_measured() -> None:
    assert keeps("Fine.", ()) is None
    assert keeps("Fine.", ("...",)) is None
