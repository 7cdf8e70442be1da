"""What the trainer tells while it works, as metrics and as the studio's events; and what it is told: save, stop."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from studio.errors import UserError
from studio.files import write_atomic
from studio.train.run import METRICS_FILE, StepMetrics, read_metrics
from studio.train.types import CheckpointSaved, Rewards, StepLogged, TrainEvent

MAX_EVENTS_PER_S = 5.0
_RATE_WINDOW = 30
"""Steps whose pace is told. The first step is no measure: kernels are compiled and memory is taken in it."""


@dataclass(frozen=True)
class Control:
    """How a run is heard and held: where its events go, whether it is asked to stop, how often it saves."""

    emit: Callable[[TrainEvent], None]
    stopping: Callable[[], bool] = lambda: False
    save_every_s: float = 20.0


class MetricsLog:
    """Appends steps to ``metrics.jsonl``. Opened at ``step`` it drops what came later: that work was lost and will be
    done again."""

    def __init__(self, run_dir: Path, step: int) -> None:
        path = run_dir / METRICS_FILE
        self.steps = [one for one in read_metrics(run_dir) if one.step <= step]
        write_atomic(path, "".join(f"{one.model_dump_json()}\n" for one in self.steps))
        self._file = path.open("a")

    @property
    def seconds(self) -> float:
        """Training time up to the last step that is kept."""
        return self.steps[-1].seconds if self.steps else 0.0

    def add(self, metrics: StepMetrics) -> None:
        self.steps.append(metrics)
        self._file.write(f"{metrics.model_dump_json()}\n")
        self._file.flush()

    def close(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()


def last_epoch_loss(steps: Sequence[StepMetrics]) -> float:
    """Mean loss over the steps of the last whole epoch's length; of all of them where there was less than one."""
    if not steps:
        return math.nan
    begin = steps[-1].epoch - 1 + 1e-6
    last = [one.loss for one in steps if one.epoch > begin]
    return sum(last) / len(last)


def rewards_of(logs: Mapping[str, float]) -> Rewards | None:
    """What TRL's trainers of preferences log, by its names; None of any other trainer."""
    if "logps/chosen" not in logs and "logps/rejected" not in logs:
        return None
    return Rewards(
        chosen=logs.get("rewards/chosen"),
        rejected=logs.get("rewards/rejected"),
        margin=logs.get("rewards/margins"),
        accuracy=logs.get("rewards/accuracies"),
        chosen_logps=logs.get("logps/chosen"),
        rejected_logps=logs.get("logps/rejected"),
    )


class Progress(TrainerCallback):
    """Records every step, tells of at most five a second and always of the last, saves by the clock, stops on demand.

    ``save_every_s`` bounds the work that a kill can cost, whatever a step takes. ``validated`` has the validation loss
    of steps, by the time that they are logged.
    """

    def __init__(
        self,
        log: MetricsLog,
        steps: int,
        control: Control,
        validated: Mapping[int, float] | None = None,
    ) -> None:
        self._validated = validated if validated is not None else {}
        self._log, self._steps, self._control, self._earlier_s = log, steps, control, log.seconds
        self._began = self._saved = time.monotonic()
        self._told = float("-inf")
        self._marks: deque[tuple[float, int]] = deque(maxlen=_RATE_WINDOW)
        self.stopped = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = self._saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= self._steps:
            return  # the end is saved as the adapter
        if self._control.stopping():
            self.stopped = True
            control.should_training_stop = True
        if self.stopped or time.monotonic() - self._saved >= self._control.save_every_s:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._saved = time.monotonic()
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._control.emit(CheckpointSaved(step=state.global_step, path=str(path)))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the summary at the end
            return
        if not math.isfinite(logs["loss"]):
            remedy = "train again with a lower learning rate"
            raise UserError(f"the loss is no longer a number at step {state.global_step}", remedy=remedy)
        now = time.monotonic()
        step = StepMetrics(
            step=state.global_step,
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            epoch=state.epoch,
            validation_loss=self._validated.get(state.global_step),
            rewards=rewards_of(logs),
            grad_norm=logs.get("grad_norm"),
            seconds=self._earlier_s + now - self._began,
        )
        self._log.add(step)
        self._marks.append((now, step.step))
        due = now - self._told >= 1 / MAX_EVENTS_PER_S or step.step >= self._steps or self.stopped
        if not due and step.validation_loss is None:
            return
        self._told = now
        (since, first), (until, last) = self._marks[0], self._marks[-1]
        rate = (last - first) / (until - since) if until > since else None
        self._control.emit(
            StepLogged(
                step=step.step,
                steps=self._steps,
                loss=step.loss,
                learning_rate=step.learning_rate,
                epoch=step.epoch,
                validation_loss=step.validation_loss,
                rewards=step.rewards,
                rate=rate,
                eta_s=(self._steps - step.step) / rate if rate else None,
            )
        )
