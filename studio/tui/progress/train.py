"""How a training run stands: its newest step, and the curve of its losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.jobs.types import Event
from studio.train.types import CheckpointSaved, StepLogged, TrainFinished, TrainStarted
from studio.tui.figures import duration
from studio.tui.progress.events import parsed

Point = tuple[int, float]
"""A step and its loss."""


@dataclass(frozen=True)
class TrainProgress:
    started: TrainStarted | None = None
    step: StepLogged | None = None
    points: tuple[Point, ...] = ()
    """In the order of the steps; a resumed run goes on from the checkpoint's step."""
    saved: int = 0
    """The step of the newest checkpoint."""
    finished: TrainFinished | None = None

    @property
    def brief(self) -> str:
        if self.started is None:
            return "loading"
        if self.step is None or self.halted:
            return f"{self.done}/{self.started.steps}"
        return f"{self.step.step}/{self.step.steps} loss {self.step.loss:.2f} ETA {duration(self.step.eta_s)}"

    @property
    def done(self) -> int:
        """The newest step; where none was taken since a resume, the one that it went on from."""
        return self.step.step if self.step else self.started.resumed_from if self.started else 0

    @property
    def halted(self) -> bool:
        """Whether it was stopped before its end, and has not begun again."""
        return self.finished is not None and self.finished.stopped

    @property
    def run_id(self) -> str:
        return self.started.run_id if self.started else ""


def fold(progress: TrainProgress | None, events: Sequence[Event]) -> TrainProgress:
    now = progress or TrainProgress()
    points = list(now.points)
    for event in parsed(events, TrainStarted, StepLogged, CheckpointSaved, TrainFinished):
        match event:
            case TrainStarted():
                points = [point for point in points if point[0] <= event.resumed_from]
                now = replace(now, started=event, step=None, finished=None, saved=event.resumed_from)
            case StepLogged():
                points.append((event.step, event.loss))
                now = replace(now, step=event)
            case CheckpointSaved():
                now = replace(now, saved=event.step)
            case TrainFinished():
                now = replace(now, finished=event)
    return replace(now, points=tuple(points))
