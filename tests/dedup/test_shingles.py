from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.dedup import shingles
from tests.dedup.similarity import jaccard


@pytest.mark.parametrize(
    "other",
    [
        "great choice, lucy - call MARK!",
        "Call Mark: Lucy... great choice",
        "Great  choice\n\nLucy!\tCall Mark.",
        "\uff27\uff32\uff25\uff21\uff34 choice, Lucy. Call Mark.",  # full-width letters
    ],
)
def test_case_punctuation_space_and_order_make_no_difference(other: str) -> None:
    assert shingles("Great choice, Lucy. Call Mark.") == shingles(other)


def test_a_repeated_word_counts_as_often_as_it_comes() -> None:
    assert len(shingles("go go go")) == 3
    assert jaccard(shingles("go go go"), shingles("go")) == pytest.approx(1 / 3)


def test_an_apostrophe_belongs_to_its_word_and_any_kind_of_it_is_the_same() -> None:
    assert shingles("You\u2019re 'on' track") == {"you're", "on", "track"} == shingles("you're on track")


@pytest.mark.parametrize(
    "clause",
    ["今日はとても天気がいいですね", "สวัสดีครับวันนี้อากาศดี", "今天天气很好我们去公园", "မင်္ဂလာပါခင်ဗျာ"],
)
def test_scripts_without_spaces_give_many_pieces(clause: str) -> None:
    assert len(shingles(clause)) > 8


def test_scripts_with_combining_marks_keep_whole_words() -> None:
    assert shingles("नमस्ते दुनिया।") == {"नमस्ते", "दुनिया"}


def test_words_and_unspaced_runs_stand_side_by_side_in_one_text() -> None:
    assert shingles("Text Lucyさんへ") == {"text", "lucy", "さん", "んへ"}


@pytest.mark.parametrize("bare", ["?!", "🎉", "..."])
def test_a_text_without_words_is_itself(bare: str) -> None:
    assert shingles(f" {bare} ") == {bare}


def test_an_empty_text_has_no_pieces_and_is_like_nothing() -> None:
    assert shingles(" \n\t") == frozenset()
    assert jaccard(frozenset(), frozenset()) == 0


@given(st.text(), st.text())
def test_similarity_is_symmetric_bounded_and_one_for_equals(first: str, second: str) -> None:
    one, two = shingles(first), shingles(second)
    assert jaccard(one, two) == jaccard(two, one)
    assert 0 <= jaccard(one, two) <= 1
    assert jaccard(one, one) == (1 if one else 0)
