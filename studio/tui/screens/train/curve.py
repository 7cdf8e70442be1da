"""The losses of one run as a curve over the steps of the whole run, so that it grows from left to right."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from studio.tui.live.progress import Point
from studio.tui.text import join
from studio.tui.widgets.loss_chart import LABEL, LossChart
from studio.tui.widgets.status import Caption

EMPTY = "The loss is drawn here once steps are logged."


@dataclass(frozen=True)
class Curve:
    """``steps`` is how many the run is to take; ``run_id`` says whose it is where that is to be said."""

    points: tuple[Point, ...] = ()
    steps: int = 0
    run_id: str = ""


class CurveView(Vertical):
    """The chart, and the steps under it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._curve = Curve()

    def compose(self) -> ComposeResult:
        yield LossChart(id="curve", empty=EMPTY)
        yield Caption(id="axis")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def show(self, curve: Curve) -> None:
        self._curve = curve
        self._draw()

    def _draw(self) -> None:
        curve, chart = self._curve, self.query_one(LossChart)
        width = chart.content_size.width
        dots = max((width - LABEL - 1) * 2, 0)  # two columns of braille dots a cell
        chart.show(laid_out(curve.points, curve.steps, dots))
        self.query_one("#axis", Caption).show(axis(curve.steps if curve.points else 0, width, curve.run_id))


def laid_out(points: Sequence[Point], steps: int, columns: int) -> list[float]:
    """A loss a column up to the newest step: the mean of the steps that fall in it, or what lies between two of them.

    ``steps`` is what the whole width means; linear.
    """
    if not points or columns < 1:
        return []
    steps = max(steps, points[-1][0], 1)
    found: list[list[float]] = [[] for _ in range(max(round(points[-1][0] * columns / steps), 1))]
    for step, loss in points:
        found[min(math.ceil(step * columns / steps), len(found)) - 1].append(loss)
    return [
        fmean(inside) if inside else _between(points, column * steps / columns)
        for column, inside in enumerate(found, 1)
    ]


def _between(points: Sequence[Point], step: float) -> float:
    """The loss at ``step`` on the line between the two points beside it."""
    after = bisect(points, step, key=itemgetter(0))
    if after in (0, len(points)):
        return points[max(after - 1, 0)][1]
    (left, low), (right, high) = points[after - 1 : after + 1]
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
