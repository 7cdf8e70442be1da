"""Entries of jobs for the tests of this room."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from studio.chatml import Frozen
from studio.errors import UserError
from studio.jobs import JobContext


class Told(Frozen):
    kind: Literal["told"] = "told"
    word: str


class Params(Frozen):
    """``mark`` is the file that the job leaves when it came to its end; ``hold`` it waits for first, or for a stop."""

    mark: str
    hold: str = ""


def work(params: dict[str, Any], context: JobContext) -> None:
    asked = Params.model_validate(params)
    context.emit(Told(word="began"))
    while asked.hold and not Path(asked.hold).exists():
        if context.stop_requested:
            Path(asked.mark + ".saved").touch()
            return
        time.sleep(0.01)
    Path(asked.mark).touch()
    context.emit(Told(word="ended"))


def save_slowly(params: dict[str, Any], context: JobContext) -> None:
    """Asked to stop, it takes until ``hold`` is there."""
    asked = Params.model_validate(params)
    context.emit(Told(word="began"))
    while not Path(asked.hold).exists():
        time.sleep(0.01)


def fail(params: dict[str, Any], context: JobContext) -> None:
    raise UserError("no such thing")
