"""Entry of the training job."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.jobs import JobContext
from studio.machine.gpu import GpuWaitEnded, claimed
from studio.train.folder import write_run
from studio.train.types import Run, TrainParams
from studio.train.unsloth import import_unsloth
from studio.train.worker.devices import keep_to_one_gpu, wait_without_spinning


def main(params: dict[str, Any], context: JobContext) -> None:
    """Train, or go on. ``run.json`` says that it is finished before the event does."""
    asked = TrainParams.model_validate(params)
    run_dir = Path(asked.run_dir)
    run = Run(plan=asked.plan, job_id=context.id)
    write_run(run_dir, run)
    alone = keep_to_one_gpu(os.environ)  # before the imports below bring in torch, which looks once
    wait_without_spinning(os.environ)
    with suppress(GpuWaitEnded), claimed(f"training {run.plan.run_id}", context.emit, lambda: context.stop_requested):
        _train(asked, run, context, alone)


def _train(asked: TrainParams, run: Run, context: JobContext, alone: str) -> None:
    run_dir = Path(asked.run_dir)
    from studio.train.worker.backend import choose_backend
    from studio.train.worker.placement import choose_placement

    backend, without = choose_backend(asked.plan.recipe, asked.plan.base_path, choose_placement())
    if backend == "unsloth":
        import_unsloth()  # before the import below brings in what it has to patch
    from studio.train.worker.run import Control, train

    control = Control(context.emit, lambda: context.stop_requested, asked.save_every_s)
    finished = train(asked.plan, run_dir, control, backend=backend, notes=(alone, without))
    write_run(run_dir, run.model_copy(update={"plan": asked.plan.on(finished.examples), "finished": finished}))
    context.emit(finished)
