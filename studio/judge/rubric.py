"""The form of a judge's answer: one required key a trait, so that a truncated answer never passes for a whole one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from studio.chatml import Frozen
from studio.judge.types import Winner
from studio.spec import Spec


def as_score(value: object) -> object:
    """Models write ``"2"`` and ``2.0`` where 2 is asked for. True is no score, though it equals 1."""
    if isinstance(value, bool):
        raise ValueError("expected 0, 1 or 2")
    try:
        number = float(value) if isinstance(value, str | float) else None
    except ValueError:
        return value
    return int(number) if number is not None and number.is_integer() else value


class TraitMark(Frozen):
    """One trait's mark. The rationale comes before the score, so that a model thinks before it decides."""

    model_config = ConfigDict(extra="ignore")
    rationale: str
    quote: str
    score: Annotated[Literal[0, 1, 2], BeforeValidator(as_score)]


class BoundaryMark(Frozen):
    """A boundary that the reply crosses, by its id, and the words that cross it."""

    model_config = ConfigDict(extra="ignore")
    id: str
    quote: str = ""


class Answer(Frozen):
    """What a judge says of one reply, whatever the spec: the common form of every :func:`judgement_schema`."""

    model_config = ConfigDict(extra="ignore")
    shows_scenario: bool = True
    violations: tuple[BoundaryMark, ...] = ()
    steps: dict[str, bool] = {}
    preferred: tuple[str, ...] = ()
    traits: dict[str, TraitMark]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


def judgement_schema(spec: Spec) -> type[BaseModel]:
    """A model whose JSON has ``shows_scenario``, ``violations``, ``steps``, ``preferred`` and ``traits``, as far as the
    spec has them.

    The traits come last and each is required: cut anywhere, the answer does not validate.
    """
    fields: dict[str, Any] = {"shows_scenario": (bool, ...)}
    if spec.boundaries:
        ids: Any = Literal[tuple(boundary.id for boundary in spec.boundaries)]
        mark: Any = create_model("Violation", __base__=_Part, id=(ids, ...), quote=(str, ...))
        fields["violations"] = (list[mark], ...)
    if spec.patterns:
        fields["steps"] = (_keyed("Steps", [step.step for step in spec.patterns], bool), ...)
    if spec.vocabulary.prefer:
        fields["preferred"] = (list[str], ...)
    fields["traits"] = (_keyed("Traits", list(spec.trait_names), TraitMark), ...)
    return create_model("Judgement", __base__=_Part, **fields)


def read_answer(value: BaseModel) -> Answer:
    """The common form of a validated answer."""
    return value if isinstance(value, Answer) else Answer.model_validate(value.model_dump(by_alias=True))


def _keyed(name: str, keys: list[str], of: type) -> type[BaseModel]:
    """A model with one required key each. Keys are aliases: a trait may be named ``copy`` or ``json``."""
    fields: dict[str, Any] = {f"key_{i}": (of, Field(alias=key)) for i, key in enumerate(dict.fromkeys(keys))}
    return create_model(name, __base__=_Part, **fields)


_WINNERS: dict[str, Winner] = {
    **dict.fromkeys(("first", "a", "1", "one", "reply a", "reply 1", "the first", "first reply"), "first"),
    **dict.fromkeys(("second", "b", "2", "two", "reply b", "reply 2", "the second", "second reply"), "second"),
    **dict.fromkeys(
        ("tie", "draw", "equal", "both", "neither", "none", "same", "a tie", "tied", "no difference"), "tie"
    ),
}


def parse_winner(value: object) -> object:
    """``first``, ``second`` or ``tie`` from the ways in which models say it; anything else is returned as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    return _WINNERS.get(str(value).strip().strip(".!'\"*[]()").strip().lower(), value)


class Preference(BaseModel):
    """Which of two replies is better, with the reason first."""

    model_config = ConfigDict(extra="ignore")
    rationale: str
    winner: Annotated[Winner, BeforeValidator(parse_winner)]
