"""Entries of jobs that do in no time what the workers take minutes for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.jobs import JobContext
from studio.train.run import ADAPTER, write_run
from studio.train.types import Run, StepLogged, TrainFinished, TrainParams, TrainStarted


def train(params: dict[str, Any], context: JobContext) -> None:
    """Three steps, and a run that is whole."""
    asked = TrainParams.model_validate(params)
    plan, adapter = asked.plan, Path(asked.run_dir) / ADAPTER
    adapter.mkdir(parents=True)
    started = TrainStarted(
        run_id=plan.run_id, device="CPU", backend="peft", steps=3, trainable_parameters=1, total_parameters=2
    )
    context.emit(started)
    for step in (1, 2, 3):
        context.emit(StepLogged(step=step, steps=3, loss=1 / step, learning_rate=1e-3, epoch=1, rate=1, eta_s=3 - step))
    finished = TrainFinished(
        run_id=plan.run_id, steps=3, loss=0.25, seconds=1, adapter_path=str(adapter), adapter_mb=1.0
    )
    write_run(Path(asked.run_dir), Run(plan=plan, job_id=context.id, finished=finished))
    context.emit(finished)
