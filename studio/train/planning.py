"""Deciding a run before anything heavy is loaded: its recipe, how many steps it takes, and its identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from studio.chatml import Frozen
from studio.errors import UserError
from studio.train.base import identity, resolve_base, shape_of
from studio.train.lengths import over_length
from studio.train.memory import longest_line, memory_fit, warning
from studio.train.smollm2 import Tell
from studio.train.types import UNDECISIVE, Logger, Recipe, TrainPlan

if TYPE_CHECKING:  # for the worker, which imports this room, they would be dead weight
    from studio.dataset import Export
    from studio.spec import LoadedSpec

PROBES = 4
SMALL_PARAMETERS = 500_000_000
_RANKS = (256, 128, 64, 32, 16, 8, 4, 2, 1)
_NUMBERS = {"int": "must be a whole number", "float": "must be a number", "finite": "must be a finite number"}
"""By the first word of the kind of an error of pydantic's."""


class Preset(Frozen):
    """A recipe to start from. ``why`` is for a person who wonders."""

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


def with_recipe(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """``recipe`` with some of its fields replaced, validated as a whole. Raises :class:`UserError`."""
    try:
        return Recipe.model_validate({**recipe.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
    where = f"recipe: {'.'.join(map(str, first['loc']))}"
    if first["type"] == "extra_forbidden":
        remedy = f"known: {', '.join(Recipe.model_fields)}"
        raise UserError("there is no such value in a recipe", where=where, remedy=remedy)
    told = _NUMBERS.get(first["type"].split("_")[0]) or first["msg"].replace("Input should be", "must be")
    raise UserError(told, where=where)


def plan(
    loaded: LoadedSpec,
    export: Export,
    *,
    base: str | None = None,
    recipe: Recipe | None = None,
    changes: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
) -> TrainPlan:
    """The run for this export. ``base`` and ``recipe`` stand in for the spec's base model and its preset, of which
    ``changes`` are made.

    May ask the hub for a base model that is not on this machine, or prepare one; ``tell`` hears of a wait. The plan's
    note says where the adapter would be over the spec's limit, and the largest usual rank that would not. Raises
    :class:`UserError` where the export is empty, a change cannot be made, or the base model cannot be had.
    """
    if not export.count:
        remedy = "accept examples in triage first"
        raise UserError("there is nothing to train on", where=str(export.path), remedy=remedy)
    base_model = base or loaded.spec.deployment.base_model
    with_recipe(Recipe(), changes or {})  # said before anything is waited for
    base_path = resolve_base(base_model, tell)
    recipe = with_recipe(recipe or preset_for(base_model).recipe, changes or {})  # its size is known by now
    shape = shape_of(base_path)
    size = shape.adapter_mb(recipe.rank, recipe.target_modules) if shape else None
    limit = loaded.spec.success.adapter_mb
    need_logger(recipe.log_to)
    fits, note, warnings = None, "", []
    if size is not None and limit is not None:
        fits = next((rank for rank in _RANKS if rank / recipe.rank * size <= limit), None)
        if size > limit:
            way = f"rank {fits} fits ({fits / recipe.rank * size:.1f} MB)" if fits else "take fewer target modules"
            note = f"rank {recipe.rank} makes an adapter of {size:.1f} MB, over the spec's limit of {limit:g} MB: {way}"
    fit = memory_fit(base_path, shape, recipe, size, longest_line(export.path)) if shape and size else None
    if fit and (told := warning(fit, recipe)):
        warnings.append(told)
    if over := over_length(export.path, base_path, recipe.max_length):
        warnings.append(
            f"{over} conversations are over {recipe.max_length} tokens: replies that end beyond are not learned"
        )
    mark = fingerprint(
        base=identity(base_path),
        recipe=recipe.model_dump(mode="json", exclude=set(UNDECISIVE)),
        **({"validation": export.snapshot} if export.validation_count and recipe.validations else {}),
        system_prompt=loaded.spec.deployment.system_prompt,
        spec=loaded.hash,
        data=export.hash,
    )
    return TrainPlan(
        run_id=f"run-{mark[:10]}",
        base_model=base_model,
        base_path=base_path,
        recipe=recipe,
        system_prompt=loaded.spec.deployment.system_prompt,
        spec_hash=loaded.hash,
        data_path=str(export.path),
        data_hash=export.hash,
        examples=export.count,
        snapshot=export.snapshot,
        validation_path=str(export.validation_path or ""),
        validation_examples=export.validation_count,
        steps=recipe.steps(export.count),
        fingerprint=mark,
        created=datetime.now(UTC),
        adapter_mb=size,
        note=note,
        warnings=tuple(warnings),
        probes=sample_probes(loaded, recipe),
        over_length=over,
        suggested_rank=fits,
        memory=fit,
    )


def need_logger(log_to: Logger | None) -> None:
    """Raises :class:`UserError` where what a run is to be logged to is not installed."""
    packages = {"tensorboard": ("tensorboard", "tensorboardX"), "trackio": ("trackio",)}
    if log_to and not any(find_spec(name) for name in packages[log_to]):
        raise UserError(f"{log_to} is not installed", where="--log-to", remedy=f"pip install {log_to}")


def sample_probes(loaded: LoadedSpec, recipe: Recipe) -> tuple[str, ...]:
    """Held-out messages, evenly spread over all: four, or as many as the recipe asks for."""
    from studio.spec import held_out_texts

    held_out = held_out_texts(loaded.spec)
    count = min(len(held_out), PROBES if recipe.samples is None else recipe.samples)
    return tuple(held_out[number * len(held_out) // count] for number in range(count))


def fingerprint(**parts: object) -> str:
    """SHA-256 of all that decides a run, in an order that does not depend on how it was written down."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
