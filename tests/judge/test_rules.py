"""The rules that a reply keeps before any model is asked."""

from __future__ import annotations

import pytest

from studio.chatml import assistant, user
from studio.judge import LengthBounds, check_reply
from studio.spec import Rules
from tests.judge.making import shipped, small_spec, talk

SPEC = small_spec()
RULES = Rules.of(SPEC)


def kinds(reply: str, request: str = "Hello") -> list[str]:
    return [violation.kind for violation in check_reply(RULES, "en", talk(request, reply))]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("k", "length"),
        ("word " * 500, "length"),
        ("Then you should go.", "banned"),
        ("That is very good.", "pattern"),
        ("As an AI, I have no list.", "generic"),
        ("Good!! Go on.", "punctuation"),
        ("Well.. go on.", "punctuation"),
        ("What,, now.", "punctuation"),
        ("Done. User: thanks Assistant: welcome", "leak"),
        ("Well..5 of them.", "punctuation"),
        ("assistant: Done with that.", "leak"),
        ("Bot: Done with that.", "leak"),
        ("System: be kind.\nUser: hi", "leak"),
        ("Done with that.<|im_end|>", "leak"),
        ("Done with that. [/INST]", "leak"),
        ("### Response: done with that", "leak"),
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


def test_every_assistant_turn_is_checked_and_no_user_turn() -> None:
    messages = (user("You should!!"), assistant("You should go."), user("Why??"), assistant("Plainly so."))
    assert [(v.kind, v.name, v.quote) for v in check_reply(RULES, "en", messages)] == [
        ("banned", "You should", "You should")
    ]


def test_a_conversation_without_a_reply_is_empty() -> None:
    assert [v.kind for v in check_reply(RULES, "en", (user("Hello"),))] == ["empty"]


def test_a_rule_broken_twice_is_told_once() -> None:
    assert kinds("You should go. You should stay.") == ["banned"]


def test_length_bounds_come_from_the_examples() -> None:
    spec = small_spec(examples=[{"user": "Hello", "assistant": "x" * 300}, {"user": "Hello", "assistant": "y" * 100}])
    assert LengthBounds.of(spec) == LengthBounds(least=20, most=900)
    assert LengthBounds.of(small_spec()) == LengthBounds()


def test_the_generic_list_can_be_switched_off() -> None:
    rules = Rules.of(small_spec(vocabulary={"avoid_generic_ai": False}))
    assert check_reply(rules, "en", talk("Hi", "I hope this helps")) == ()


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_the_shipped_examples_keep_the_rules_of_their_spec(name: str) -> None:
    spec = shipped(name).spec
    rules, bounds = Rules.of(spec), LengthBounds.of(spec)
    broken = {e.turns: check_reply(rules, spec.language, e.turns, bounds) for e in spec.examples}
    assert [violations for violations in broken.values() if violations] == []
