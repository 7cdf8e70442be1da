"""Live progress of headless work: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.text import Text

from studio.build import StageBegan, StageEnded, StageTold
from studio.build.types import BuildEvent
from studio.cli.bars import BarDisplay
from studio.cli.lines import progress_of
from studio.cli.output import err
from studio.text.inert import inert_line

QUIET_S = 5.0
"""Seconds between two progress lines where there is no terminal."""
MARKS = {"done": "done", "skipped": "kept"}


class Display(Protocol):
    """A face for build events."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, event: BuildEvent) -> None: ...


def display() -> Display:
    """The face that fits where stderr goes."""
    return BarDisplay() if err.is_terminal and not err.is_dumb_terminal else LineDisplay()


class LineDisplay:
    """A plain line when a stage begins and ends, and every few seconds between."""

    def __init__(self) -> None:
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, event: BuildEvent) -> None:
        if isinstance(event, StageBegan):
            self._print(event.stage, "started" + (f": {event.note}" if event.note else ""))
        elif isinstance(event, StageEnded):
            self._print(event.stage, f"{MARKS['skipped' if event.skipped else 'done']}: {event.note}")
        elif isinstance(event, StageTold) and time.monotonic() - self._last >= QUIET_S:
            told = progress_of(event.event)
            if told:
                self._print(event.stage, told.text)

    def _print(self, stage: str, text: str) -> None:
        self._last = time.monotonic()
        err.print(Text(f"{stage:<9} {inert_line(text)}"), soft_wrap=True)
