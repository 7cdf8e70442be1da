"""A row a stage on a terminal: how far it is, how long it has taken, and what it says; at any width."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from studio.build import StageBegan, StageEnded, StageTold
from studio.build.types import BuildEvent
from studio.cli.lines import Progressed, duration, progress_of
from studio.cli.output import cut, err
from studio.text.inert import inert_line

STAGE, SHARE, TOOK = 9, 4, 6
"""Columns of the name, the per cent and the time, which never shrink."""
LEAST_NOTE = 12
LEAST_PATH = 16
"""Columns below which a note, or a path in one, says nothing any more."""
SPARE = 3
"""Columns left free at the right: the ^C that a terminal echoes there would break the line, and the rows with it."""


@dataclass
class _Row:
    stage: str
    told: Progressed
    began: float | None
    """None where nothing was done."""
    ended: float | None = None

    @property
    def share(self) -> float:
        return min(1.0, self.told.done / self.told.total) if self.told.total else 0.0

    @property
    def took(self) -> str:
        return "" if self.began is None else duration((self.ended or time.monotonic()) - self.began)


class BarDisplay:
    """The rows of the stages that have begun, drawn anew four times a second until the end."""

    def __init__(self, console: Console = err) -> None:
        self._rows: dict[str, _Row] = {}
        self._live = Live(self, console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, event: BuildEvent) -> None:
        if isinstance(event, StageBegan):
            self._rows[event.stage] = _Row(event.stage, Progressed(0, 1, event.note), time.monotonic())
        elif isinstance(event, StageTold):
            if told := progress_of(event.event):
                self._rows[event.stage].told = told
        elif isinstance(event, StageEnded):
            began = self._rows[event.stage].began if event.stage in self._rows else None
            told = Progressed(1, 1, ("kept: " if event.skipped else "") + event.note)
            self._rows[event.stage] = _Row(event.stage, told, began, time.monotonic())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        bar = max(10, min(30, options.max_width // 6))
        room = options.max_width - SPARE - sum(width + 1 for width in (STAGE, bar, SHARE, TOOK))
        grid = Table.grid(padding=(0, 1, 0, 0))
        for width in (STAGE, bar, SHARE, TOOK):
            grid.add_column(width=width, no_wrap=True, justify="right" if width in (SHARE, TOOK) else "left")
        for row in list(self._rows.values()):
            note = inert_line(row.told.text)
            grid.add_row(
                Text(row.stage, style="" if row.ended else "bold"),
                ProgressBar(total=1.0, completed=row.share, width=bar),
                f"{row.share:.0%}",
                row.took,
                Text(fitted(note, room) if room >= LEAST_NOTE else ""),
            )
        yield grid


def fitted(text: str, room: int) -> str:
    """``text`` in ``room`` columns: the middle of a long path goes first, as its end tells most; then the end."""
    over = cell_len(text) - room
    if over <= 0:
        return text
    path = max((word for word in text.split() if "/" in word), key=cell_len, default="")
    keep = cell_len(path) - over - 1
    if keep >= LEAST_PATH:
        return text.replace(path, f"{set_cell_size(path, keep // 3)}…{_end(path, keep - keep // 3)}")
    return cut(text, room)


def _end(text: str, room: int) -> str:
    while cell_len(text) > room:
        text = text[1:]
    return text
