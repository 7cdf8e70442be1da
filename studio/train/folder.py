"""A run's folder: ``run.json``, ``data.jsonl``, ``metrics.jsonl``, ``spec/``, ``checkpoints/`` and ``adapter/``."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from studio.files import write_atomic
from studio.train.types import Run

RUN_FILE = "run.json"
DATA_FILE = "data.jsonl"
CHECKPOINTS = "checkpoints"
ADAPTER = "adapter"
SPEC = "spec"
WEIGHTS = "adapter_model.safetensors"


def write_run(run_dir: Path, run: Run) -> None:
    write_atomic(run_dir / RUN_FILE, run.model_dump_json(indent=2) + "\n")


def read_run(run_dir: Path) -> Run | None:
    """The run, with the paths that it has now: the folder may have been moved or copied since it was written.

    None where the folder holds none that can be read.
    """
    try:
        run = Run.model_validate_json((run_dir / RUN_FILE).read_text())
    except (OSError, ValidationError):
        return None
    here = run_dir.absolute()
    plan = run.plan.model_copy(update={"data_path": str(here / DATA_FILE)})
    finished = run.finished and run.finished.model_copy(update={"adapter_path": str(here / ADAPTER)})
    return run.model_copy(update={"plan": plan, "finished": finished})
