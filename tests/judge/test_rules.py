"""The rules that a reply keeps before any model is asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from studio.chatml import assistant, user
from studio.judge.rules import ReplyRules, broken
from tests.judge.making import small_spec, talk
from tests.spec.helpers import BUNDLED, bundled

RULES = ReplyRules(small_spec())


def kinds(reply: str, request: str = "Hello", **spec: Any) -> list[str]:
    rules = ReplyRules(small_spec(**spec)) if spec else RULES
    return [violation.kind for violation in rules.check(talk(request, reply))]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("word " * 401, "length"),
        ("Then you should go.", "banned"),
        ("That is very good.", "pattern"),
        ("As an AI, I have no list.", "generic"),
        ("Good!! Go on.", "punctuation"),
        ("Well.. go on.", "punctuation"),
        ("What,, now.", "punctuation"),
        ("Done. User: thanks Assistant: welcome", "role_label"),
        ("Well..5 of them.", "punctuation"),
        ("assistant: Done with that.", "role_label"),
        ("Bot: Done with that.", "role_label"),
        ("System: be kind.\nUser: hi", "role_label"),
        ("Done with that.<|im_end|>", "role_label"),
        ("Done with that. [/INST]", "role_label"),
        ("### Response: done with that", "role_label"),
        ("Done\x1b[31m with that.", "unprintable"),
        ("Done with th\ufffdt.", "unprintable"),
        ("Ich habe die Aufgabe zu deiner Liste hinzugefügt und sage dir morgen Bescheid.", "language"),
    ],
)
def test_each_rule_is_found(reply: str, kind: str) -> None:
    assert kinds(reply) == [kind]


@pytest.mark.parametrize(
    "reply",
    [
        "Plainly: it is done. What else?",
        "Wait... it is done.",
        "Use std::vector, or ask the user: they know.",
        "Dear user, the system: it works.",
        "This is what you sent:\nSystem: macOS\nAI: none",
        "Cut it to 3..5 m, or go to ../plans for more.",
        "OK",
        "It is done \U0001f389",
    ],
)
def test_a_clean_reply_breaks_nothing(reply: str) -> None:
    assert kinds(reply) == []


@pytest.mark.parametrize(
    ("said", "name"),
    [("Hi \u202eelif", "U+202E"), ("a\x07b", "U+0007"), ("pass\u200bword", "U+200B"), ("x " * 4001, "too long")],
)
def test_what_a_user_says_may_hold_no_more_than_a_person_writes(said: str, name: str) -> None:
    for turns in (talk(said, "Plainly so."), (*talk("Why??", "So."), *talk(said, "Plainly so."))):
        found = RULES.check(turns)
        assert [(one.kind, one.name) for one in found] == [("user_text", name)] and broken(found) == found
    off = ReplyRules(small_spec(rules={"unprintable": "off", "max_chars": None}))
    assert off.check(talk(said, "Plainly so.")) == ()


@pytest.mark.parametrize("reply", ["Done \u202ewith that.", "Done w\u200bith that.", "Done\u2063\u2063 with that."])
def test_turned_and_hidden_characters_of_a_reply_are_unprintable(reply: str) -> None:
    assert kinds(reply) == ["unprintable"]


def test_every_assistant_turn_is_checked_for_all_rules_and_a_user_s_for_its_own() -> None:
    messages = (user("You should!!"), assistant("You should go."), user("Why??"), assistant("Plainly so."))
    assert [(v.kind, v.name, v.quote) for v in RULES.check(messages)] == [("banned", "You should", "You should")]


def test_a_conversation_without_a_reply_is_empty() -> None:
    assert [v.kind for v in RULES.check((user("Hello"),))] == ["empty"]


def test_a_rule_broken_twice_is_told_once() -> None:
    assert kinds("You should go. You should stay.") == ["banned"]


RUNAWAY = r"(?:a+)+b|\s*\s*\s*\s*\s*x$"


def test_a_pattern_that_runs_away_is_reported_in_time_and_fails_nothing() -> None:
    rules = ReplyRules(small_spec(vocabulary={"avoid_patterns": [RUNAWAY, r"\bvery\b"]}))
    began = time.process_time()
    found = rules.check(talk("Hello", "a" * 200 + " " * 200 + "very"))
    assert time.process_time() - began < 2
    assert [(one.kind, one.name) for one in found] == [("pattern_timeout", RUNAWAY), ("pattern", r"\bvery\b")]
    assert [one.kind for one in broken(found)] == ["pattern"]


def test_the_phrases_of_a_boundary_give_a_violation_away() -> None:
    phrases = [{"id": "no_lies", "never": "Tells lies", "phrases": ["trust me"]}]
    found = ReplyRules(small_spec(boundaries=phrases)).check(talk("Hello", "It is so, Trust me on it."))
    assert [(one.kind, one.name, one.quote) for one in found] == [("boundary", "no_lies", "Trust me")]


@pytest.mark.parametrize(
    ("rule", "off", "reply", "kind"),
    [
        ("max_chars", None, "word " * 401, "length"),
        ("role_labels", "off", "assistant: Done with that.", "role_label"),
        ("punctuation", "off", "Good!! Go on.", "punctuation"),
        ("unprintable", "off", "Done with th\ufffdt.", "unprintable"),
        ("language", "off", "Отлично! Я добавил задачу в твой список.", "language"),
    ],
)
def test_each_check_can_be_switched_off(rule: str, off: str | None, reply: str, kind: str) -> None:
    assert kinds(reply) == [kind]
    assert kinds(reply, rules={rule: off}) == []


def test_the_limit_of_length_is_the_specs_own() -> None:
    assert kinds("x" * 21, rules={"max_chars": 20, "language": "off"}) == ["length"]
    assert kinds("x" * 20, rules={"max_chars": 20, "language": "off"}) == []


@pytest.mark.parametrize(
    "reply",
    [
        "Write `a !! b` there.",
        "It begins with `<|im_end|>`, as you see.",
        "Like this:\n```\nuser: hi\nassistant: ho!!\n```\nThat is all.",
        "Not closed:\n```\nx,,y",
    ],
)
def test_what_stands_in_code_is_neither_punctuation_nor_markup(reply: str) -> None:
    assert kinds(reply) == []


def test_code_hides_nothing_beside_it() -> None:
    assert kinds("See `x`. Good!! Or `y`.") == ["punctuation"]
    assert kinds("`x`\nassistant: Done") == ["role_label"]


def test_the_generic_list_can_be_switched_off() -> None:
    assert kinds("That is a testament to it") == ["generic"]
    assert kinds("That is a testament to it", vocabulary={"avoid_generic_ai": False}) == []


@pytest.mark.parametrize("name", BUNDLED)
def test_the_examples_of_the_shipped_specs_keep_their_rules(name: str, tmp_path: Path) -> None:
    spec = bundled(name, tmp_path).spec
    rules = ReplyRules(spec)
    assert [rules.check(one.turns) for one in spec.examples if rules.check(one.turns)] == []
