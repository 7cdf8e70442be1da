"""A run's folder: ``run.json``, ``metrics.jsonl``, ``checkpoints/`` and ``adapter/``."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from studio.files import write_atomic
from studio.train.types import Run

RUN_FILE = "run.json"
CHECKPOINTS = "checkpoints"
ADAPTER = "adapter"
WEIGHTS = "adapter_model.safetensors"


def write_run(run_dir: Path, run: Run) -> None:
    write_atomic(run_dir / RUN_FILE, run.model_dump_json(indent=2) + "\n")


def read_run(run_dir: Path) -> Run | None:
    """The run; None where the folder holds none that can be read."""
    try:
        return Run.model_validate_json((run_dir / RUN_FILE).read_text())
    except (OSError, ValidationError):
        return None
