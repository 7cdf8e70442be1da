"""From accepted examples to an adapter: the plan, the detached run, and what it left."""

from studio.train.base import adapter_hash, resolve_base
from studio.train.planning import plan, preset_for, with_recipe
from studio.train.records import Tag, find_run, name_run, note_run, tags
from studio.train.run import base_of, finished_run, read_metrics, resume_or_start, resume_run, runs, start
from studio.train.smollm2 import SMOLLM2, preparing
from studio.train.types import Recipe, Run, TrainPlan

__all__ = [
    "SMOLLM2",
    "Recipe",
    "Run",
    "Tag",
    "TrainPlan",
    "adapter_hash",
    "base_of",
    "find_run",
    "finished_run",
    "name_run",
    "note_run",
    "plan",
    "preparing",
    "preset_for",
    "read_metrics",
    "resolve_base",
    "resume_or_start",
    "resume_run",
    "runs",
    "start",
    "tags",
    "with_recipe",
]
