"""The author's prompt, and what counts as one written conversation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from studio.bank import person_text
from studio.chatml import assistant, user
from studio.generate import Authored, author_messages
from studio.generate.author import author_request
from studio.generate.plan import Attempt
from studio.generate.prompt import MOST_TURNS
from studio.llm.structured import strict_schema
from studio.spec import LoadedSpec, persona_prompt
from studio.store import Person
from tests.generate.making import loaded_spec, taskmaster, wren

TURN = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
HARPIST = Person(
    id="x",
    source="recorded",
    name="Ines",
    age=61,
    role="harpist",
    background="Tours with a quartet",
    chatting_style="no capitals, many dots",
)


def prompt(**changes: object) -> str:
    arguments: dict[str, object] = {
        "category": "watering",
        "scenario": "A plant droops",
        "person_text": "A deckhand, twenty, terse",
        "context": "The ship is the Swallow.",
        "shots": wren().spec.examples,
        "seed": 0,
    }
    messages = author_messages(wren().spec, **(arguments | changes))  # type: ignore[arg-type]
    assert [message.role for message in messages] == ["system", "user"]
    return "\n".join(message.content for message in messages)


def asked(seed: int = 7, person: Person = HARPIST) -> str:
    attempt = Attempt("task_creation", "Create task with priority", 0, seed, person, "id")
    request = author_request(taskmaster(), attempt)
    assert request.sampling.seed == seed
    return "\n".join(message.content for message in request.messages)


def test_the_author_gets_persona_situation_person_context_and_examples() -> None:
    text = prompt()
    assert persona_prompt(wren().spec) in text
    parts = ["A plant droops", "A deckhand, twenty, terse", "The ship is the Swallow.", "dry as dust", "JSON"]
    assert [part for part in parts if part not in text] == []


def test_a_long_context_is_cut_and_says_so() -> None:
    text = prompt(context="word " * 20_000)
    assert len(text) < 40_000
    assert "the rest of the document is left out" in text


def test_an_author_without_person_context_or_examples_is_not_shown_empty_places() -> None:
    text = prompt(person_text=" ", context="", shots=())
    for word in ("Who is talking", "What the persona knows", "Examples written", "\n\n\n"):
        assert word not in text


@pytest.mark.parametrize("spec", [taskmaster, wren])
def test_no_author_is_shown_a_regular_expression(spec: Callable[[], LoadedSpec]) -> None:
    loaded = spec()
    category, scenario = next((key, one.items[0]) for key, one in loaded.spec.scenarios.items() if not one.holdout)
    request = author_request(loaded, Attempt(category, scenario, 0, 1, HARPIST, "id"))
    shown = "\n".join(message.content for message in request.messages)
    assert loaded.spec.vocabulary.avoid_patterns
    assert not [pattern for pattern in loaded.spec.vocabulary.avoid_patterns if pattern in shown]
    assert "regular expression" not in shown


def test_the_seed_of_an_attempt_decides_the_manner_that_is_asked_for() -> None:
    def manner(seed: int) -> str:
        found = re.search(r"This time the first message .*", asked(seed))
        assert found is not None
        return found[0]

    assert manner(3) == manner(3)
    assert len({manner(seed) for seed in range(50)}) > 20


def test_the_person_is_told_whole_and_the_examples_of_the_scenario_first() -> None:
    text = asked()
    for part in ("Ines, 61 years old, harpist", "Tours with a quartet", "no capitals, many dots"):
        assert part in text
    assert person_text(HARPIST) in text
    assert text.index("Situation: Create task with priority") < text.index("Ines")


def test_a_pair_is_understood_as_a_conversation_and_the_space_around_turns_is_taken_off() -> None:
    pair = Authored.model_validate({"user": " a\n", "assistant": "b ", "messages": None})
    assert pair.turns == (user("a"), assistant("b"))
    assert Authored.model_validate({"messages": TURN, "user": "", "assistant": None}).turns == pair.turns


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"user": None, "assistant": None, "messages": None},
        {"messages": []},
        {"user": "a", "assistant": None},
        {"user": " ", "assistant": "b"},
        {"messages": TURN[:1]},
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
    assert Authored.model_validate({"messages": [turn.model_dump() for turn in turns]}).turns == turns


def test_the_schema_that_is_sent_has_room_for_a_conversation_and_for_nothing_else() -> None:
    schema = strict_schema(Authored)
    assert schema["required"] == ["messages"]
    assert schema["properties"]["messages"]["minItems"] == 2
    assert "null" not in str(schema)


def test_the_prompt_names_the_language_of_the_persona() -> None:
    request = author_request(loaded_spec(language="pt-BR"), Attempt("pets", "Found a pet", 0, 1, HARPIST, "id"))
    assert "pt-BR" in request.messages[0].content
