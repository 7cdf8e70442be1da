# ruff: noqa: RUF001
from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio.spec.backtracking import may_run_away
from studio.spec.charsets import CharSet

from studio.spec import Rules
from studio.spec.generic import GENERIC_AI
from studio.spec.matching import Phrase, Plain
from studio.spec.rules import PATTERN_LIMIT
from studio.text.normalize import folded
from tests.spec.helpers import parrot, spec_of


def finds(phrase: str, text: str) -> str | None:
    return Phrase.of(phrase).find(Plain.of(text))


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
    rules = Rules.of(parrot().spec)
    text = "As an AI, I'd say you should dig: it is buried under the mast!!!"
    assert [(hit.kind, hit.name, hit.quote) for hit in rules.broken(text)] == [
        ("banned", "You should", "you should"),
        ("pattern", "[!?]{3,}", "!!!"),
        ("generic", "As an AI", "As an AI"),
        ("boundary", "no_treasure", "buried under"),
    ]
    assert rules.broken("Squawk! Aye aye, a fine breeze.") == ()


def test_what_a_reply_does_well_is_found_too() -> None:
    rules = Rules.of(parrot().spec)
    text = "Squawk! Shiver my timbers, matey. Aye aye!"
    assert rules.preferred(text) == ("Aye aye!", "Shiver my timbers")
    assert rules.step_phrases(text) == {"squawk": ("Squawk!",), "answer": ()}
    assert rules.trait_cues(text) == {"salty": ("aye", "matey"), "brief": (), "honest": ()}


def test_the_generic_list_can_be_switched_off() -> None:
    rules = Rules.of(spec_of("vocabulary: {avoid_generic_ai: false}\n"))
    assert rules.broken("As an AI, I'd be happy to help.") == ()


def test_every_generic_phrase_is_found_in_a_sentence_and_listed_once() -> None:
    rules = Rules.of(spec_of())
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
    assert Rules.of(spec_of()).broken(text) == ()


def test_patterns_see_the_beginning_of_a_long_reply_only() -> None:
    rules = Rules.of(spec_of("vocabulary: {avoid_patterns: ['x{3}']}\n"))
    assert rules.broken("a" * (PATTERN_LIMIT - 3) + "xxx")
    assert not rules.broken("a" * PATTERN_LIMIT + "xxx")


RUNAWAYS = [
    r"(a+)+b",
    r"(a*)*b",
    r"(a|aa)+$",
    r"(a|a?b?)*c",
    r"(\w+\s?)*!",
    r"(?:x+x+)+y",
    r"(a{1,5}){10}b",
    r"(a?){30}b",
    r"(\w+\s?){8}x",
    r"(?=(a+)+b)c",
    r"(?i)([a-z]|[A-Z]b?|b)*1",
    r"(?s)(.|\n?x)*y",
    r"([^x]+|[a-z])+q",
    r"(?:a|a)*c",
    r"(?:ab|ab|)*c",
    r"(?:(?:b?)?a)*c",
    r"(?:(?:b?)*a)*c",
    r"(?:a(?:|b?))+c",
    r"(?:(?:a{20}){20}){20}",
    r"(?i:(?:ab|AB)*c)",
    r"(?:(?s:.x)|\nx)*c",
    r"(?i)(?:ab|(?-i:AB))*c",
    r"(?i:(?s:(?:ab|AB)*c))",
    r"(?a)(?:\Wa|\u00e9a)*c",
    r"(?a:(?:\Wa|\u00e9a)*c)",
    "(?i)(?:sa|\u017fa)*c",
    "(?i)(?:[\u017f-\u0180]a|sa)*c",
]
HARMLESS = [
    r"[!?]{2,}",
    r"(?:![^!]*){4,}",
    r"\d{1,3}(,\d{3})*",
    r"(?:\d{1,3}\.){3}\d{1,3}",
    r"(\w+\s)+end",
    r"\b(foo|bar|baz)+\b",
    r".*foo.*bar",
    r"\s+$",
    r"https?://\S+",
    r"(?<!\w)as an? AI(?!\w)",
    r"(ab|ac)*d",
    r"(?:ha){3,}",
    r"(\w+)\s+\1",
    r"[A-Z]{4,}",
    r"(?>a+)b++",
    r"(?i)(?-i:(?:ab|AB)*c)",
    r"(?s)(?:(?-s:.x)|\nx)*c",
    r"(?:(?i:x)y|(?:ab|AB))*c",
    r"(?a)(?:\wa|\u00e9a)*c",
    "(?ai)(?:sa|\u017fa)*c",
    r"\b(?:always|never|" + "|".join(f"word{number}" for number in range(200)) + r")\b",
]


@pytest.mark.parametrize("pattern", RUNAWAYS)
def test_patterns_that_could_run_for_ever_are_known(pattern: str) -> None:
    re.compile(pattern)
    assert may_run_away(pattern)


@pytest.mark.parametrize("pattern", HARMLESS)
def test_ordinary_patterns_are_not_mistaken_for_them(pattern: str) -> None:
    assert not may_run_away(pattern)


PIECES = st.recursive(
    st.sampled_from(["a", "b", "[ab]", ".", "c"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
    ),
    max_leaves=6,
)


@given(PIECES)
def test_a_pattern_that_passes_has_few_ways_to_read_a_text(pattern: str) -> None:
    """Counted by reading: the paths of a harmless loop grow with a power of the length, never double with it."""
    if not may_run_away(pattern):
        for text in ("a" * 16, "ab" * 8, "b" * 16):
            assert len(ways(pattern, text)) < 20_000


def ways(pattern: str, text: str) -> list[int]:
    """Where each path through the pattern ends, as a backtracking matcher walks them; cut off at 20,000."""
    parser: Any = importlib.import_module("re._parser")

    def walk(items: Iterable[tuple[Any, Any]], at: int) -> list[int]:
        ends = [at]
        for operator, argument in items:
            ends = [end for start in ends for end in step(str(operator), argument, start)][:20_000]
        return ends

    def step(operator: str, argument: Any, at: int) -> list[int]:
        if operator == "SUBPATTERN":
            return walk(argument[3], at)
        if operator == "BRANCH":
            return [end for branch in argument[1] for end in walk(branch, at)]
        if operator == "MAX_REPEAT":
            return repeat(argument, at)
        accepts = at < len(text) and CharSet(operator, argument, 0).among([text[at]])
        return [at + 1] if accepts else []

    def repeat(argument: Any, at: int) -> list[int]:
        least, most, body = argument
        ends, now = ([at] if least == 0 else []), [at]
        for count in range(1, min(int(most), len(text) + 1) + 1):
            now = [end for start in now for end in walk(body, start) if end > start or count <= max(least, 1)][:20_000]
            ends += now if count >= least else []
            if not now or len(ends) > 20_000:
                break
        return ends

    return walk(parser.parse(pattern), 0)
