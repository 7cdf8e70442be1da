"""What the trainer tells while it works, as the studio's events; and what it is told: save, stop."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from studio.errors import UserError
from studio.train.metrics import MetricsLog, StepMetrics
from studio.train.types import CheckpointSaved, StepLogged, TrainEvent

MAX_EVENTS_PER_S = 5.0
_RATE_WINDOW = 30
"""Steps whose pace is told. The first step is no measure: kernels are compiled and memory is taken in it."""


class Progress(TrainerCallback):
    """Records every step, tells of at most five a second and always of the last, saves by the clock, stops on demand.

    ``save_every_s`` bounds the work that a kill can cost, whatever a step takes.
    """

    def __init__(
        self,
        log: MetricsLog,
        steps: int,
        emit: Callable[[TrainEvent], None],
        stopping: Callable[[], bool],
        save_every_s: float,
    ) -> None:
        self._log, self._steps, self._emit, self._stopping = log, steps, emit, stopping
        self._save_every_s = save_every_s
        self._earlier_s = log.seconds
        self._began = self._saved = time.monotonic()
        self._told = float("-inf")
        self._marks: deque[tuple[float, int]] = deque(maxlen=_RATE_WINDOW)
        self.stopped = False

    @property
    def seconds(self) -> float:
        """Training time so far, over all the processes that took part."""
        return self._earlier_s + time.monotonic() - self._began

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = self._saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= self._steps:
            return  # the end is saved as the adapter
        if self._stopping():
            self.stopped = True
            control.should_training_stop = True
        if self.stopped or time.monotonic() - self._saved >= self._save_every_s:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._saved = time.monotonic()
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._emit(CheckpointSaved(step=state.global_step, path=str(path)))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the summary at the end
            return
        if not math.isfinite(logs["loss"]):
            remedy = "train again with a lower learning rate"
            raise UserError(f"the loss is no longer a number at step {state.global_step}", remedy=remedy)
        step = StepMetrics(
            step=state.global_step,
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            epoch=state.epoch,
            grad_norm=logs.get("grad_norm"),
            seconds=self.seconds,
        )
        self._log.add(step)
        self._tell(step)

    def _tell(self, step: StepMetrics) -> None:
        now = time.monotonic()
        self._marks.append((now, step.step))
        if now - self._told < 1 / MAX_EVENTS_PER_S and step.step < self._steps and not self.stopped:
            return
        self._told = now
        (since, first), (until, last) = self._marks[0], self._marks[-1]
        rate = (last - first) / (until - since) if until > since else None
        self._emit(
            StepLogged(
                step=step.step,
                steps=self._steps,
                loss=step.loss,
                learning_rate=step.learning_rate,
                epoch=step.epoch,
                rate=rate,
                eta_s=(self._steps - step.step) / rate if rate else None,
            )
        )
