"""How a package names its base model: it is used elsewhere, where the folders of this machine are not."""

from __future__ import annotations

from pathlib import Path

from studio.train import SMOLLM2
from studio.train.smollm2 import HUB_ID
from studio.train.types import TrainPlan


def is_folder(plan: TrainPlan) -> bool:
    """Whether the run was trained on a model in a folder of this machine."""
    return plan.base_model != SMOLLM2 and Path(plan.base_path).is_absolute()


def base_name(plan: TrainPlan) -> str:
    """The hub id, or the name of the folder without its place."""
    if plan.base_model == SMOLLM2:
        return HUB_ID
    return Path(plan.base_path).name if is_folder(plan) else plan.base_model
