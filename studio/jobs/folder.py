"""What lies in a job's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from studio.chatml import Frozen

Model = TypeVar("Model", bound=BaseModel)

REQUEST = "job.json"
"""What was asked."""
ATTEMPT = "attempt.json"
"""Which process works on it."""
ENDING = "ended.json"
"""The last word of that process."""
EVENTS = "events.jsonl"
LOG = "log.txt"
LOCK = "lock"
"""Held for as long as the job lives."""


class Attempt(Frozen):
    """One start of a job's process."""

    number: int
    pid: int
    started: datetime


class Ending(Frozen):
    """How an attempt ended, in its own words. An attempt that was killed leaves none."""

    attempt: int
    state: Literal["finished", "stopped", "failed"]
    error: str | None = None
    at: datetime


def read_model(path: Path, model: type[Model]) -> Model | None:
    """The file as ``model``; None where it is missing or damaged."""
    try:
        return model.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
