"""Recipes to start from, by the size of the base model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from studio.chatml import Frozen
from studio.errors import UserError
from studio.train.shape import shape_of
from studio.train.types import Recipe

SMALL_PARAMETERS = 500_000_000


class Preset(Frozen):
    """A recipe. ``why`` is for a person who wonders."""

    name: str
    recipe: Recipe
    why: str


STARTING = Preset(
    name="starting",
    recipe=Recipe(),
    why="rank 16 on all seven projections, 2e-4 and three epochs: where most adapters of 1B to 70B models begin",
)
SMALL = Preset(
    name="small",
    recipe=Recipe(learning_rate=2e-3, epochs=2, max_length=1024),
    why="SmolLM2-135M, 72 prompts labelled by hand: 2e-3 x 2 epochs 2.4 of 10, 1e-3 x 1.5 epochs 1.8, untrained 0.4",
)


def preset_for(base_model: str) -> Preset:
    """The preset for a base model as the spec names it, by its parameters; the usual one where they are not known.

    Asks no network: what :func:`studio.train.resolve_base` found is known.
    """
    shape = shape_of(base_model)
    return SMALL if shape is not None and shape.parameters < SMALL_PARAMETERS else STARTING


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
