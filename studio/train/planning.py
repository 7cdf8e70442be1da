"""Deciding a run before anything heavy is loaded: what it trains on, how many steps it takes, and its identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from studio.errors import UserError
from studio.train.base import resolve_base
from studio.train.identity import identity
from studio.train.presets import preset_for, with_recipe
from studio.train.shape import BaseShape, shape_of
from studio.train.smollm2 import Tell
from studio.train.types import Recipe, TrainPlan

if TYPE_CHECKING:  # for the worker, which imports this room, they would be dead weight
    from studio.spec import LoadedSpec
    from studio.store import Workspace
    from studio.triage import Export

_RANKS = (256, 128, 64, 32, 16, 8, 4, 2, 1)


def plan(
    loaded: LoadedSpec,
    workspace: Workspace,
    export: Export,
    *,
    base: str | None = None,
    recipe: Recipe | None = None,
    changes: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
) -> TrainPlan:
    """The run for this export. ``base`` and ``recipe`` stand in for the spec's base model and its preset, of which
    ``changes`` are made.

    May ask the hub for a base model that is not on this machine, or prepare one; ``tell`` hears of a wait. Raises
    :class:`UserError` where the export is empty, a change cannot be made, or the base model cannot be had.
    """
    if not export.count:
        raise UserError(
            "there is nothing to train on", where=str(export.path), remedy="accept examples in triage first"
        )
    base_model = base or loaded.spec.deployment.base_model
    with_recipe(Recipe(), changes or {})  # said before anything is waited for
    base_path = resolve_base(base_model, tell)
    recipe = with_recipe(recipe or preset_for(base_model).recipe, changes or {})  # its size is known by now
    shape = shape_of(base_path)
    mark = fingerprint(
        base=identity(base_path),
        recipe=recipe.model_dump(mode="json", exclude={"micro_batch_size"}),
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
        steps=recipe.steps(export.count),
        fingerprint=mark,
        created=datetime.now(UTC),
        adapter_mb=shape.adapter_mb(recipe.rank, recipe.target_modules) if shape else None,
        note=_too_large(shape, recipe, loaded.spec.success.adapter_mb),
    )


def fingerprint(**parts: object) -> str:
    """SHA-256 of all that decides a run, in an order that does not depend on how it was written down."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _too_large(shape: BaseShape | None, recipe: Recipe, limit: float | None) -> str:
    """Where the adapter would be over the spec's limit: that it would, and the largest usual rank that is not."""
    size = shape.adapter_mb(recipe.rank, recipe.target_modules) if shape else None
    if size is None or limit is None or size <= limit:
        return ""
    fits = next((rank for rank in _RANKS if rank < recipe.rank and rank / recipe.rank * size <= limit), None)
    way = f"rank {fits} fits ({fits / recipe.rank * size:.1f} MB)" if fits else "take fewer target modules"
    return f"rank {recipe.rank} makes an adapter of {size:.1f} MB, over the spec's limit of {limit:g} MB: {way}"
