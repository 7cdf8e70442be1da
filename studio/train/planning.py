"""Deciding a run before anything heavy is loaded: what it trains on, how many steps it takes, and its identity."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.train.base import resolve_base
from studio.train.identity import identity
from studio.train.presets import preset_for
from studio.train.types import Recipe, TrainPlan

if TYPE_CHECKING:  # for the worker, which imports this room, they would be dead weight
    from studio.spec import LoadedSpec
    from studio.store import Workspace
    from studio.triage import Export


def plan(
    loaded: LoadedSpec,
    workspace: Workspace,
    export: Export,
    *,
    base: str | None = None,
    recipe: Recipe | None = None,
) -> TrainPlan:
    """The run for this export. ``base`` and ``recipe`` stand in for the spec's base model and its preset.

    May ask the hub for a base model that is not on this machine. Raises :class:`UserError` where the export is empty
    or the base model cannot be had.
    """
    if not export.count:
        raise UserError(
            "there is nothing to train on", where=str(export.path), remedy="accept examples in triage first"
        )
    base_model = base or loaded.spec.deployment.base_model
    recipe = recipe or preset_for(base_model).recipe
    base_path = resolve_base(base_model)
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
    )


def fingerprint(**parts: object) -> str:
    """SHA-256 of all that decides a run, in an order that does not depend on how it was written down."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
