"""The form of an answer: complete or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from studio.judge.rubric import Preference, judgement_schema, read_answer
from studio.llm import strict_schema
from tests.judge.making import small_spec


def marks(**changes: Any) -> dict[str, Any]:
    mark = {"rationale": "Because.", "quote": "so", "score": 1}
    answer: dict[str, Any] = {
        "shows_scenario": True,
        "violations": [{"id": "no_lies", "quote": "it is false"}],
        "steps": {"say": True, "ask": False},
        "preferred": ["Plainly"],
        "traits": {"brave": mark, "concise": {**mark, "score": 2}},
    }
    return {**answer, **changes}


def test_an_answer_is_read_in_one_form_whatever_the_spec() -> None:
    answer = read_answer(judgement_schema(small_spec()).model_validate(marks()))
    assert {name: mark.score for name, mark in answer.traits.items()} == {"brave": 1, "concise": 2}
    assert answer.steps == {"say": True, "ask": False}
    assert [mark.id for mark in answer.violations] == ["no_lies"]
    assert answer.preferred == ("Plainly",)


@pytest.mark.parametrize("missing", ["shows_scenario", "violations", "steps", "preferred", "traits"])
def test_every_part_is_required(missing: str) -> None:
    answer = marks()
    del answer[missing]
    with pytest.raises(ValidationError):
        judgement_schema(small_spec()).model_validate(answer)


def test_a_missing_trait_is_no_answer() -> None:
    answer = marks()
    del answer["traits"]["concise"]
    with pytest.raises(ValidationError):
        judgement_schema(small_spec()).model_validate(answer)


def test_no_cut_of_an_answer_validates_after_its_brackets_are_mended() -> None:
    schema, whole = judgement_schema(small_spec()), json.dumps(marks())
    for at in range(len(whole) - 3):
        for end in ("}", "}}", '"}}', '"}}}', "]}", '"}]}'):
            with pytest.raises(ValidationError):
                schema.model_validate_json(whole[:at] + end)


@pytest.mark.parametrize(("said", "score"), [("2", 2), (2.0, 2), ("1.0", 1)])
def test_a_score_written_as_text_counts(said: object, score: int) -> None:
    answer = marks(traits={name: {"rationale": "", "quote": "", "score": said} for name in ("brave", "concise")})
    assert read_answer(judgement_schema(small_spec()).model_validate(answer)).traits["brave"].score == score


@pytest.mark.parametrize("said", [3, -1, "high", 1.5, None, True])
def test_any_other_score_is_refused(said: object) -> None:
    answer = marks(traits={name: {"rationale": "", "quote": "", "score": said} for name in ("brave", "concise")})
    with pytest.raises(ValidationError):
        judgement_schema(small_spec()).model_validate(answer)


def test_a_boundary_that_the_spec_does_not_have_is_refused() -> None:
    with pytest.raises(ValidationError):
        judgement_schema(small_spec()).model_validate(marks(violations=[{"id": "no_fun", "quote": "ha"}]))


def test_what_the_spec_lacks_is_not_asked_for() -> None:
    bare = small_spec(vocabulary={}, patterns=[], boundaries=[])
    assert set(judgement_schema(bare).model_json_schema()["properties"]) == {"shows_scenario", "traits"}


def test_traits_may_have_the_names_of_a_models_own_methods() -> None:
    names = ["copy", "json", "schema", "model_dump", "dict"]
    spec = small_spec(traits=[{"name": name, "is": "x"} for name in names])
    answer = marks(traits={name: {"rationale": "", "quote": "", "score": 1} for name in names})
    schema = judgement_schema(spec)
    value = schema.model_validate(answer)
    assert list(read_answer(value).traits) == names
    assert schema.model_validate_json(value.model_dump_json()) == value


def test_the_schema_has_a_strict_form() -> None:
    strict = strict_schema(judgement_schema(small_spec()))
    assert list(strict["properties"]) == ["shows_scenario", "violations", "steps", "preferred", "traits"]
    assert list(strict["properties"]) == strict["required"]
    assert strict["additionalProperties"] is False


@pytest.mark.parametrize(
    ("said", "winner"),
    [("first", "first"), ("A", "first"), ("Reply B", "second"), ("**Tie**", "tie"), ("neither", "tie"), (2, "second")],
)
def test_a_winner_is_understood(said: object, winner: str) -> None:
    assert Preference.model_validate({"rationale": "", "winner": said}).winner == winner


@pytest.mark.parametrize("said", ["the better one", "", None, True, 3])
def test_a_winner_that_cannot_be_told_is_refused(said: object) -> None:
    with pytest.raises(ValidationError):
        Preference.model_validate({"rationale": "", "winner": said})
