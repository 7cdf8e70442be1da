"""What writing varies is the same in every room: where words end, and which marks count as one."""

from __future__ import annotations

import pytest

from studio.dedup import shingles
from studio.judge.scoring import quoted
from studio.spec.rules import Phrase, Plain
from studio.store.search import spaced
from studio.text.normalize import VARIANTS, folded
from studio.text.words import words_of


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("今日はいい天気", "天気"),
        ("人々の時代", "々"),
        ("今天天气很好", "天气"),
        ("สวัสดีครับ", "ดี"),
        ("ສະບາຍດີ", "ສະ"),
        ("កម្ពុជា", "ពុ"),
        ("မင်္ဂလာပါ", "လာ"),
        ("ｶﾀｶﾅ", "ﾀｶ"),
        ("𠮷野家", "野"),
    ],
)
def test_a_word_of_a_script_without_spaces_is_seen_by_every_room(text: str, part: str) -> None:
    assert Phrase(part).find(Plain.of(text)) == part
    assert set(words_of(part)) <= set(words_of(text))
    assert len(words_of(text)) > 1
    assert len(shingles(text)) > 1
    assert len(spaced(text).split()) > 1


@pytest.mark.parametrize(("text", "part"), [("안녕하세요", "녕"), ("wonderful", "wonder")])
def test_a_part_of_a_word_of_a_spaced_script_is_no_word_in_any_room(text: str, part: str) -> None:
    assert Phrase(part).find(Plain.of(text)) is None
    assert not set(words_of(part)) & set(words_of(text))
    assert len(shingles(text)) == len(spaced(text).split()) == 1


def test_the_middle_dot_of_katakana_is_punctuation_and_no_word() -> None:
    assert words_of("ア・ア") == ("ア", "ア")
    assert shingles("コーヒー・カップ") == shingles("コーヒー カップ")


@pytest.mark.parametrize(("mark", "variant"), [(mark, other) for mark in VARIANTS for other in VARIANTS[mark]])
def test_every_kind_of_a_mark_is_the_same_to_search_and_to_quotes(mark: str, variant: str) -> None:
    assert folded(f"a{variant}b") == f"a{mark}b"
    assert quoted(f"so a{mark}b", f"Well, so a{variant}b.") == f"so a{variant}b"
