"""What counts as one written conversation."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from studio.chatml import assistant, user
from studio.generate.schema import MOST_TURNS, Authored, AuthoredTurn
from studio.llm import strict_schema

TURN = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


def test_both_forms_give_the_same_turns_without_the_space_around_them() -> None:
    pair = Authored.model_validate({"user": " a\n", "assistant": "b ", "messages": None})
    assert pair.turns == (user("a"), assistant("b"))
    assert Authored.model_validate({"messages": TURN, "user": "", "assistant": None}).turns == pair.turns


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"user": "a", "assistant": None},
        {"user": " ", "assistant": "b"},
        {"user": "a", "assistant": "b", "messages": TURN[:1]},
        {"messages": TURN[::-1]},
        {"messages": [TURN[0], *TURN]},
        {"messages": [{"role": "system", "content": "x"}, *TURN]},
        {"messages": [TURN[0], {"role": "assistant", "content": "\n"}]},
        {"messages": TURN * (MOST_TURNS // 2 + 1)},
    ],
)
def test_what_is_no_conversation_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Authored.model_validate(value)


def test_a_conversation_comes_back_as_it_was() -> None:
    turns = (user("a"), assistant("b"), user("c"), assistant("d"))
    assert Authored.of(turns).turns == turns
    assert Authored.of(turns[:2]).messages is None
    assert AuthoredTurn(role="user", content="a").content == "a"


def test_the_strict_schema_requires_every_key() -> None:
    assert strict_schema(Authored)["required"] == ["user", "assistant", "messages"]
