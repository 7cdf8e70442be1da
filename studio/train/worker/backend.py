"""Choosing what trains: PEFT alone, or unsloth on top of it."""

from __future__ import annotations

from pathlib import Path

from studio.errors import UserError
from studio.train.presets import SMALL_PARAMETERS
from studio.train.shape import shape_of
from studio.train.types import Recipe
from studio.train.unsloth import INSTALL, UNSLOTH_FOLDER, import_error, unsloth_version
from studio.train.worker.placement import Placement


def choose_backend(recipe: Recipe, base: str, placement: Placement, folder: Path = UNSLOTH_FOLDER) -> tuple[str, str]:
    """What trains, and a note where that is not what it would be if all were well.

    ``unsloth`` where it was asked for, or where it is installed, there is a GPU to be fast on and the base model is of
    a size that makes up for its start (a minute and a half on an H100, half of it compiling); else ``peft``, which
    also stands in for an unsloth that cannot be imported and was not asked for. Raises :class:`UserError` where what
    was asked for cannot be had.
    """
    shape = shape_of(base)
    small = shape is not None and shape.parameters < SMALL_PARAMETERS
    if recipe.backend == "peft" or (recipe.backend == "auto" and (placement.on_cpu or small)):
        return "peft", ""
    if unsloth_version(folder) is None:
        if recipe.backend == "unsloth":
            raise UserError("unsloth is not installed", remedy=f"{INSTALL}, or backend peft")
        return "peft", ""
    why = import_error(folder)
    if not why:
        return "unsloth", ""
    if recipe.backend == "unsloth":
        raise UserError(f"unsloth cannot be imported: {why}", remedy=f"{INSTALL}, or backend peft")
    return "peft", f"without unsloth, which cannot be imported: {why}"
