"""Recipes to start from: one for base models of the usual sizes, one for the pocket base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from studio.chatml import Frozen
from studio.errors import UserError
from studio.train.base import POCKET
from studio.train.types import Recipe


class Preset(Frozen):
    """A recipe and how many accepted examples it takes to show. ``why`` is for a person who wonders."""

    name: str
    recipe: Recipe
    examples: int = Field(ge=0)
    """Fewer than this are too few for the base model to take on the persona's manner; 0: the spec's number will do."""
    why: str


STARTING = Preset(
    name="starting",
    recipe=Recipe(),
    examples=0,
    why="rank 16 on all seven projections, 2e-4 and three epochs: where most adapters of 1B to 70B models begin",
)
POCKET_PRESET = Preset(
    name="pocket",
    recipe=Recipe(learning_rate=3e-3, epochs=6, max_length=512),
    examples=720,
    why="at 4M parameters 2e-4 x 3 epochs shows no effect; tests/bench/pocket_preset.py measured this one",
)


def preset_for(base_model: str) -> Preset:
    """The preset for a base model as the spec names it."""
    return POCKET_PRESET if base_model == POCKET else STARTING


def more_examples(wanted: int, base_model: str) -> str:
    """Why more than ``wanted`` accepted examples are made for a base model; empty where that many are."""
    asked = preset_for(base_model).examples
    return f"the {base_model} base model asks for {asked}" if asked > wanted else ""


NUMBERS = {"int": "must be a whole number", "float": "must be a number", "finite": "must be a finite number"}
"""By the first word of the kind of an error of pydantic's."""


def with_recipe(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """``recipe`` with some of its fields replaced, validated as a whole. Raises :class:`UserError`."""
    try:
        return Recipe.model_validate({**recipe.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        remedy = f"known: {', '.join(Recipe.model_fields)}" if first["type"] == "extra_forbidden" else ""
        raise UserError(_told(first), where=f"recipe: {key}", remedy=remedy) from None


def _told(error: ErrorDetails) -> str:
    """What a value must be, in words of ours."""
    if error["type"] == "extra_forbidden":
        return "there is no such value in a recipe"
    return NUMBERS.get(error["type"].split("_")[0]) or error["msg"].replace("Input should be", "must be")
