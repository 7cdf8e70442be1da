"""A job: long work in a process of its own, and the folder through which it is seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from studio.chatml import Frozen

State = Literal["starting", "running", "stopping", "finished", "stopped", "failed", "dead"]
"""``dead``: it left no last word and nobody holds its lock (killed). ``failed``: it said why."""

LIVING: tuple[State, ...] = ("starting", "running", "stopping")
ENDED: tuple[State, ...] = ("finished", "stopped", "failed", "dead")


class JobRequest(Frozen):
    """``job.json``: what was asked. ``entry`` is ``module:function``, called with ``params`` and a context."""

    id: str
    stage: str
    entry: str
    params: dict[str, Any]
    created: datetime
    cwd: str = ""
    """Where it was asked, so that a resumed job reads the same relative paths."""


class Event(Frozen):
    """A line of ``events.jsonl``: ``data`` is a stage's own event, by its ``kind``."""

    at: datetime
    kind: str
    data: dict[str, Any]


class JobView(Frozen):
    """How a job stands now."""

    request: JobRequest
    state: State
    pid: int | None = None
    error: str | None = None
    """One line for a person, where it failed or died."""
    started: datetime | None = None
    ended: datetime | None = None
