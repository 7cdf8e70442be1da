"""``metrics.jsonl``: what each optimiser step came to, one line a step, from the first to the last."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from studio.chatml import Frozen
from studio.files import write_atomic

METRICS_FILE = "metrics.jsonl"


class StepMetrics(Frozen):
    """``seconds`` counts the training so far, without the time in which it stood still; ``grad_norm`` is before
    clipping."""

    step: int
    loss: float
    learning_rate: float
    epoch: float
    grad_norm: float | None = None
    seconds: float


def read_metrics(run_dir: Path) -> list[StepMetrics]:
    """The steps in order. A line that was cut by a crash is left out."""
    try:
        lines = (run_dir / METRICS_FILE).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [metrics for line in lines if (metrics := _parsed(line))]


def last_epoch_loss(steps: Sequence[StepMetrics]) -> float:
    """Mean loss over the steps of the last whole epoch's length; of all of them where there was less than one."""
    if not steps:
        return float("nan")
    begin = steps[-1].epoch - 1 + 1e-6
    last = [one.loss for one in steps if one.epoch > begin]
    return sum(last) / len(last)


class MetricsLog:
    """Appends steps. Opened at ``step`` it drops what came later: that work was lost and will be done again."""

    def __init__(self, run_dir: Path, step: int) -> None:
        self._path = run_dir / METRICS_FILE
        self.steps = [one for one in read_metrics(run_dir) if one.step <= step]
        write_atomic(self._path, "".join(f"{one.model_dump_json()}\n" for one in self.steps))
        self._file = self._path.open("a")

    @property
    def seconds(self) -> float:
        """Training time up to the last step that is kept."""
        return self.steps[-1].seconds if self.steps else 0.0

    def add(self, metrics: StepMetrics) -> None:
        self.steps.append(metrics)
        self._file.write(f"{metrics.model_dump_json()}\n")
        self._file.flush()

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _parsed(line: str) -> StepMetrics | None:
    try:
        return StepMetrics.model_validate_json(line)
    except ValidationError:
        return None
