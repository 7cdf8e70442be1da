"""The word diff: both texts come back whole, and only what differs is marked."""

from __future__ import annotations

import random

from studio.text.word_diff import MOST_PARTS, word_diff


def test_words_that_differ_are_marked_on_their_side() -> None:
    old, new = word_diff("You should rest now.", "Rest now, friend.")
    assert next(piece.text for piece in old if piece.changed).startswith("You should")
    assert "friend" in "".join(piece.text for piece in new if piece.changed)
    assert "now" in "".join(piece.text for piece in new if not piece.changed)
    assert word_diff("same", "same") == ([("same", False)], [("same", False)])
    assert word_diff("", "all new") == ([], [("all new", True)])


def test_the_pieces_are_the_texts() -> None:
    rng = random.Random(1)
    words = ["a", "b ", " c", "\n", "d.", "é", "\x1b[31m", "", "  "]
    for _ in range(200):
        before, after = ("".join(rng.choices(words, k=rng.randrange(12))) for _ in range(2))
        old, new = word_diff(before, after)
        assert "".join(piece.text for piece in old) == before and "".join(piece.text for piece in new) == after


def test_very_long_texts_are_one_change() -> None:
    old, new = word_diff("a " * MOST_PARTS, "b " * MOST_PARTS)
    assert len(old) == len(new) == 1 and old[0].changed
