"""From accepted examples to an adapter: the plan, the detached run, and what it left."""

from studio.train.base import resolve_base
from studio.train.identity import adapter_hash
from studio.train.metrics import StepMetrics, read_metrics
from studio.train.planning import plan
from studio.train.presets import Preset, preset_for, with_recipe
from studio.train.running import base_of, find_run, finished_run, is_done, resume_or_start, resume_run, runs, start
from studio.train.smollm2 import SMOLLM2, preparing
from studio.train.types import Recipe, Run, TrainPlan

__all__ = [
    "SMOLLM2",
    "Preset",
    "Recipe",
    "Run",
    "StepMetrics",
    "TrainPlan",
    "adapter_hash",
    "base_of",
    "find_run",
    "finished_run",
    "is_done",
    "plan",
    "preparing",
    "preset_for",
    "read_metrics",
    "resolve_base",
    "resume_or_start",
    "resume_run",
    "runs",
    "start",
    "with_recipe",
]
