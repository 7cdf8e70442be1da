"""Entry of the training job: what must be settled before torch is imported, which looks at the environment once."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.jobs import JobContext
from studio.machine.gpu import GpuWaitEnded, claimed
from studio.train.run import write_run
from studio.train.types import Run, TrainParams
from studio.train.unsloth import import_unsloth

VISIBLE = "CUDA_VISIBLE_DEVICES"


def main(params: dict[str, Any], context: JobContext) -> None:
    """Train, or go on. ``run.json`` says that it is finished before the event does."""
    asked = TrainParams.model_validate(params, extra="ignore")
    run_dir, run = Path(asked.run_dir), Run(plan=asked.plan, job_id=context.id)
    write_run(run_dir, run)
    alone = keep_to_one_gpu(os.environ)
    wait_without_spinning(os.environ)
    with suppress(GpuWaitEnded), claimed(f"training {run.plan.run_id}", context.emit, lambda: context.stop_requested):
        from studio.train.worker.placement import choose_backend, choose_placement

        backend, without = choose_backend(asked.plan.recipe, asked.plan.base_path, choose_placement())
        if backend == "unsloth":
            import_unsloth()  # before the import below brings in what it has to patch
        from studio.train.worker.progress import Control
        from studio.train.worker.run import train

        control = Control(context.emit, lambda: context.stop_requested, asked.save_every_s)
        finished = train(asked.plan, run_dir, control, backend=backend, notes=(alone, without))
        write_run(run_dir, run.model_copy(update={"plan": asked.plan.on(finished.examples), "finished": finished}))
        context.emit(finished)


def keep_to_one_gpu(environ: MutableMapping[str, str], devices: Path = Path("/dev")) -> str:
    """Show this process one GPU alone: the first of ``CUDA_VISIBLE_DEVICES``, or of the machine.

    On several, transformers would give each a micro batch of its own: as many times the batch, and the epochs, that
    were planned. Returns a note where there are others.
    """
    if VISIBLE in environ:
        listed = environ[VISIBLE].split(",")
    else:
        listed = [str(number) for number, _ in enumerate(devices.glob("nvidia[0-9]*"))] or ["0"]
    environ[VISIBLE] = listed[0]
    return f"on GPU {listed[0]} alone of {len(listed)} ({VISIBLE} chooses)" if len(listed) > 1 else ""


def wait_without_spinning(environ: MutableMapping[str, str]) -> None:
    """Let OpenMP's threads sleep while they wait for one another, unless it is set otherwise.

    They would spin. With other processes beside it, a step on two threads took 28 CPU-seconds so, and 10 without.
    """
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
