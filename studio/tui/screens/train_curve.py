"""The losses of one run as a curve over its steps."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical

from studio.tui.live.progress import Point, TrainProgress
from studio.tui.screens.curve import axis, dots_across, laid_out
from studio.tui.widgets.loss_chart import LossChart
from studio.tui.widgets.status import Caption

EMPTY = "The loss is drawn here once steps are logged."


@dataclass(frozen=True)
class Curve:
    """``steps`` is how many the run is to take."""

    run_id: str = ""
    points: tuple[Point, ...] = ()
    steps: int = 0

    @classmethod
    def of(cls, progress: TrainProgress) -> Curve:
        """That of the run that is trained now."""
        return cls(progress.run_id, progress.points, progress.started.steps if progress.started else 0)


class CurveView(Vertical):
    """The chart, and the steps under it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._curve, self._run_id = Curve(), ""

    def compose(self) -> ComposeResult:
        yield LossChart(id="curve", empty=EMPTY)
        yield Caption(id="axis")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def show(self, curve: Curve, run_id: str = "") -> None:
        """Draw ``curve``; ``run_id`` says whose it is where that is to be said."""
        self._curve, self._run_id = curve, run_id
        self._draw()

    def _draw(self) -> None:
        curve, chart = self._curve, self.query_one(LossChart)
        width = chart.content_size.width
        chart.show(laid_out(curve.points, curve.steps, dots_across(width)))
        self.query_one("#axis", Caption).show(axis(curve.steps if curve.points else 0, width, self._run_id))
