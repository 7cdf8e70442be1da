"""A curve of losses laid out over the steps of its whole run, so that it grows from left to right."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.tui.live.progress import Point
from studio.tui.text import join
from studio.tui.widgets.loss_chart import LABEL


def dots_across(width: int) -> int:
    """Columns of braille dots in a chart of ``width`` cells."""
    return max((width - LABEL - 1) * 2, 0)


def laid_out(points: Sequence[Point], steps: int, columns: int) -> list[float]:
    """A loss a column up to the newest step: the mean of the steps that fall in it, or what lies between two of them.

    ``steps`` is what the whole width means; linear.
    """
    if not points or columns < 1:
        return []
    steps = max(steps, points[-1][0], 1)
    reached = max(round(points[-1][0] * columns / steps), 1)
    found: list[float] = []
    here = 0
    for column in range(reached):
        end = (column + 1) * steps / columns
        inside = []
        while here < len(points) and (points[here][0] <= end or column == reached - 1):
            inside.append(points[here][1])
            here += 1
        found.append(sum(inside) / len(inside) if inside else _between(points, here, end))
    return found


def _between(points: Sequence[Point], after: int, step: float) -> float:
    """The loss at ``step`` on the line to the point ``after`` it."""
    if after == 0 or after >= len(points):
        return points[min(after, len(points) - 1)][1]
    (left, low), (right, high) = points[after - 1], points[after]
    return low + (high - low) * (step - left) / (right - left)


def axis(steps: int, width: int, run_id: str = "") -> Content:
    """The steps under the chart: first, middle, last, and whose they are where that is to be said."""
    room = width - LABEL - 1
    if steps < 3 or room < 24:
        return Content("")
    middle, end = str(steps // 2), f"step {steps}"
    if run_id and room >= 48:
        end = f"{run_id}, {end}"
    left = room // 2 - 1 - len(middle) // 2
    return join((f"{'loss':>{LABEL}} 1{' ' * left}{middle}{end:>{room - 1 - left - len(middle)}}", "$quiet"))
