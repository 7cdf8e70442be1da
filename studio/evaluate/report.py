"""Keeping an evaluation: one file beside the run, one row in the workspace."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from studio.evaluate.types import Evaluation
from studio.files import write_atomic
from studio.store import Workspace

FILE = "EVALUATION_RESULTS.json"
TABLE = "evaluations"


def save(workspace: Workspace, evaluation: Evaluation) -> Path:
    """Write ``runs/<id>/EVALUATION_RESULTS.json`` and remember the evaluation without its single results."""
    path = workspace.runs_dir / evaluation.run_id / FILE
    write_atomic(path, evaluation.model_dump_json(indent=2) + "\n")
    workspace.studio.put(TABLE, evaluation.id, evaluation.model_copy(update={"results": ()}))
    return path


def evaluations(workspace: Workspace) -> list[Evaluation]:
    """All that were made in this workspace, newest first, without their single results."""
    return sorted(workspace.studio.all(TABLE, Evaluation), key=lambda one: one.created, reverse=True)


def evaluation_of(workspace: Workspace, run_id: str) -> Evaluation | None:
    """The newest evaluation of a run, whole; None where there is none, or it is damaged or of another version: the run
    is then to be evaluated anew."""
    try:
        return Evaluation.model_validate_json((workspace.runs_dir / run_id / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
