"""Choosing what trains: PEFT alone, or unsloth on top of it."""

from __future__ import annotations

from studio.errors import UserError
from studio.train.types import Recipe
from studio.train.unsloth import INSTALL, unsloth_version
from studio.train.worker.placement import Placement


def choose_backend(recipe: Recipe, placement: Placement) -> str:
    """``unsloth`` where it was asked for, or where it is installed and there is a GPU to be fast on; else ``peft``."""
    if recipe.backend == "peft" or (recipe.backend == "auto" and placement.on_cpu):
        return "peft"
    if unsloth_version():
        return "unsloth"
    if recipe.backend == "unsloth":
        raise UserError("unsloth is not installed", remedy=f"{INSTALL}, or backend peft")
    return "peft"
