"""A curve in braille dots, decimated to its width and drawn once a second at most."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from studio.tui.text import join
from studio.tui.widgets.scrolling import strip_of

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille bits by row (top first) and column."""
LABEL = 7
PERIOD_S = 1.0


class LossChart(Widget):
    """``show(values)`` in order of time; the vertical axis spans what is there."""

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self._values: tuple[float, ...] = ()
        self._drawn_at = 0.0
        self._later: Timer | None = None
        self._lines: list[Content] = []
        self._empty = empty

    def show(self, values: Sequence[float]) -> None:
        """Draw now, or a second after the last time."""
        if tuple(values) == self._values:
            return
        self._values = tuple(values)
        wait = self._drawn_at + PERIOD_S - time.monotonic()
        if wait <= 0:
            self._draw()
        elif self._later is None:
            self._later = self.set_timer(wait, self._draw)

    def on_resize(self) -> None:
        self._draw()
        self._drawn_at = 0.0  # what is shown for the new width need not wait

    def _draw(self) -> None:
        self._later = None
        self._drawn_at = time.monotonic() if self._values else 0.0
        self._lines = chart(self._values, self.content_size.width, self.content_size.height)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        content = self._lines[y] if y < len(self._lines) else Content("")
        if not self._lines and y == 0:
            content = join((self._empty, "$quiet"))
        return strip_of(self, content, self.content_size.width)


def chart(values: Sequence[float], width: int, height: int) -> list[Content]:
    """Lines of labels and dots; nothing where there is too little room or no value."""
    room = width - LABEL - 1
    finite = [value for value in values if value == value and abs(value) != float("inf")]
    if room < 4 or height < 1 or not finite:
        return []
    columns = decimate(finite, room * 2)
    low, high = min(columns), max(columns)
    rows = plot(columns, low, high, height)
    labels = axis_labels(low, high, height)
    return [
        join((f"{labels.get(number, ''):>{LABEL}} ", "$quiet"), (row.ljust(room), "$primary"))
        for number, row in enumerate(rows)
    ]


def axis_labels(low: float, high: float, height: int) -> dict[int, str]:
    """Row -> value, linear: the top, the bottom, and every fifth row or so between where there are many."""
    if high <= low:
        return {height // 2: f"{high:.3f}"}
    marks = max(height // 5, 1)
    rows = {round((height - 1) * mark / marks) for mark in range(marks + 1)}
    return {row: f"{high - (high - low) * row / max(height - 1, 1):.3f}" for row in rows}


def decimate(values: Sequence[float], columns: int) -> list[float]:
    """At most ``columns`` means of neighbouring values."""
    if len(values) <= columns:
        return list(values)
    edges = [index * len(values) // columns for index in range(columns + 1)]
    return [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]


def plot(columns: Sequence[float], low: float, high: float, height: int) -> list[str]:
    """Braille rows, top first: each value a dot, joined by a stroke to the one before."""
    grid = [[0] * ((len(columns) + 1) // 2) for _ in range(height)]
    last, span = None, high - low
    for x, value in enumerate(columns):
        share = (value - low) / span if span > 0 else 0.5
        y = round((1 - share) * (height * 4 - 1))
        before = y if last is None else last
        for dot in range(min(y, before), max(y, before) + 1) if abs(y - before) > 1 else (y,):
            grid[dot // 4][x // 2] |= DOTS[dot % 4][x % 2]
        last = y
    return ["".join(chr(0x2800 + cell) for cell in row) for row in grid]
