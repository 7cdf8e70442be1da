# ruff: noqa: RUF001
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.spec import Rules
from studio.spec.rules import GENERIC_AI, Phrase, Plain
from studio.text.normalize import folded
from tests.spec.helpers import parrot, spec_of


def finds(phrase: str, text: str) -> str | None:
    return Phrase(phrase).find(Plain.of(text))


@pytest.mark.parametrize(
    ("phrase", "text", "quote"),
    [
        ("You should", "I think YOU  should\nrest", "YOU  should"),
        ("You should", "you shoulder the load", None),
        ("You should", "Bayou should", None),
        ("Great choice!", "Oh, great choice!!", "great choice!"),
        ("Great choice!", "Great choices!", None),
        ("no no", "Casino no no", "no no"),
        ("ha ha", "Aha ha ha!", "ha ha"),
        ("ha ha", "Aha hah", None),
        ("?!", "What?!", "?!"),
        ("What's next?", "So, what’s next?", "what's next?"),
        ("don't", "DON’T", "DON'T"),
        ("e-mail", "an e\u2011mail", "e-mail"),
        ("user_name", "a user_name2", None),
        ("over", "over_all", None),
        ("C++", "in C++ it is", "C++"),
        ("No.", "No. 5", "No."),
        ("you should", "you\u200b should", "you should"),
        ("you should", "you\u00a0should", "you\u00a0should"),
        ("Größe", "die GRÖSSE, die GRÖßE", "GRÖßE"),
        ("café", "cafe\u0301", "café"),
        ("cafe", "cafe\u0301", None),
        ("должны", "Вы ДОЛЖНЫ это", "ДОЛЖНЫ"),
        ("должны", "недолжны", None),
        ("必须", "你必须马上去", "必须"),
        ("すべき", "あなたはすべきです", "すべき"),
        ("ต้อง", "คุณต้องทำ", "ต้อง"),
        ("ต", "ต้อง", None),
        ("आप", "क्या आप हैं", "आप"),
        ("नम", "नमस्ते", None),
        ("नमस", "नमस्ते", None),
        ("해야", "해야 합니다", "해야"),
        ("해야", "해야합니다", None),
        ("يجب", "يجب عليك", "يجب"),
        ("you should", "", None),
    ],
)
def test_phrases_are_found_as_whole_words_in_any_script(phrase: str, text: str, quote: str | None) -> None:
    assert finds(phrase, text) == quote


@given(st.text(min_size=1), st.text(), st.text())
def test_a_phrase_between_spaces_is_always_found(phrase: str, before: str, after: str) -> None:
    if folded(phrase).split() and folded(phrase) == folded(phrase).strip():
        assert finds(phrase, f"{before} {phrase} {after}") is not None


def test_every_kind_of_rule_is_reported_with_the_words_that_break_it() -> None:
    rules = Rules(parrot().spec)
    text = "As an AI, I'd say you should dig: it is buried under the mast!!!"
    assert [(hit.kind, hit.name, hit.quote) for hit in rules.broken(text)] == [
        ("banned", "You should", "you should"),
        ("pattern", "[!?]{3,}", "!!!"),
        ("generic", "As an AI", "As an AI"),
        ("boundary", "no_treasure", "buried under"),
    ]
    assert rules.broken("Squawk! Aye aye, a fine breeze.") == ()


def test_the_preferred_expressions_of_a_reply_are_found() -> None:
    rules = Rules(parrot().spec)
    text = "Squawk! Shiver my timbers, matey. Aye aye!"
    assert rules.preferred(text) == ("Aye aye!", "Shiver my timbers")


def test_the_generic_list_can_be_switched_off() -> None:
    rules = Rules(spec_of("vocabulary: {avoid_generic_ai: false}\n"))
    assert rules.broken("As an AI, I'd be happy to help.") == ()


def test_every_generic_phrase_is_found_in_a_sentence_and_listed_once() -> None:
    rules = Rules(spec_of())
    for phrase in GENERIC_AI:
        assert phrase in [hit.name for hit in rules.broken(f"Well. {phrase} and so on.".replace("'", "’"))]
    assert len({folded(phrase).casefold() for phrase in GENERIC_AI}) == len(GENERIC_AI)


@pytest.mark.parametrize(
    "text",
    [
        "Great choice! I added 'call mom' to your list. Ready for what's next?",
        "It took strength to ask. What's the first small step?",
        "The lamp hummed. Nobody loses keys on purpose.",
    ],
)
def test_ordinary_replies_are_not_generic(text: str) -> None:
    assert Rules(spec_of()).broken(text) == ()
