"""Blend: a run that is the weighted sum of the adapters of finished runs, on the same base model; nothing is trained.

A persona from SFT with a quarter of one from DPO, or two runs that are each good at something. The sum is exact with
the ranks added up; with a rank of its own it is the nearest of that rank (SVD).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.train.base import adapter_hash, identity
from studio.train.planning import fingerprint
from studio.train.preference import parent_run, sft_data
from studio.train.run import base_of
from studio.train.types import BlendPart, Run, TrainPlan

if TYPE_CHECKING:
    from studio.spec import LoadedSpec
    from studio.store import Workspace


def blend_parts(given: Sequence[str]) -> list[tuple[str, float]]:
    """Ids and weights of ``RUN:WEIGHT``; a weight that is not given is 1. Raises :class:`UserError`."""
    found = []
    for one in given:
        name, _, weight = one.partition(":")
        try:
            value = float(weight or 1)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value) or value == 0:
            raise UserError("not a run and its weight", where=f"--blend {one}", remedy="--blend run-ab12:0.25")
        found.append((name, value))
    return found


def blend_plan(
    loaded: LoadedSpec, workspace: Workspace, parts: Sequence[tuple[str, float]], rank: int | None = None
) -> TrainPlan:
    """The plan of a blend of runs by their weights; of ``rank``, or exactly, with the ranks of all added up.

    The system prompt and the recipe that it names are the first run's. Raises :class:`UserError` where fewer than two
    runs are named, one twice, one is not finished, or their base models or system prompts differ.
    """
    runs = [parent_run(workspace, name) for name, _ in parts]
    names = [run.plan.run_id for run in runs]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        remedy = "--blend run-ab12:1 --blend run-cd34:0.25"
        raise UserError("a blend takes two runs or more, each once", where="--blend", remedy=remedy)
    first = runs[0].plan
    base_path = base_of(first)
    base = identity(base_path)
    for run in runs[1:]:
        if identity(base_of(run.plan)) != base:
            raise UserError(
                "their base models differ", where=run.plan.run_id, remedy=f"blend runs on {first.base_model}"
            )
        if run.plan.system_prompt != first.system_prompt:
            raise UserError("their system prompts differ", where=run.plan.run_id, remedy="train one of them again")
    blended = tuple(_part(run, weight) for run, (_, weight) in zip(runs, parts, strict=True))
    summed = sum(run.plan.recipe.rank for run in runs)
    mark = fingerprint(
        objective="blend", base=base, rank=rank, parts=[part.model_dump(include={"hash", "weight"}) for part in blended]
    )
    size = sum(run.finished.adapter_mb for run in runs if run.finished) if rank is None else None
    limit = loaded.spec.success.adapter_mb
    over = size is not None and limit is not None and size > limit
    return TrainPlan(
        run_id=f"run-{mark[:10]}",
        base_model=first.base_model,
        base_path=base_path,
        recipe=first.recipe.model_copy(update={"rank": rank or summed, "alpha": rank or summed, "samples": 0}),
        system_prompt=first.system_prompt,
        spec_hash=loaded.hash,
        data_path=first.data_path,
        data_hash=first.data_hash,
        examples=first.examples,
        objective="blend",
        parents=tuple(names),
        blend=blended,
        sft_path=sft_data(runs[0]),
        steps=0,
        fingerprint=mark,
        created=datetime.now(UTC),
        adapter_mb=size,
        note=f"an adapter of {size:.1f} MB, over the spec's limit of {limit:g} MB: give it a --rank" if over else "",
    )


def _part(run: Run, weight: float) -> BlendPart:
    assert run.finished is not None, "only a finished run is blended"
    path = Path(run.finished.adapter_path)
    return BlendPart(run_id=run.plan.run_id, path=str(path), hash=adapter_hash(path), weight=weight)
