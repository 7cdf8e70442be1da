"""Which training run the later stages work on. Reads the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.build.runs import chosen_run
from studio.evaluate import Evaluation, evaluation_of, evaluations
from studio.train import runs
from studio.train.run import is_done
from studio.train.types import Run

if TYPE_CHECKING:
    from studio.build import Session
    from studio.store import Workspace


@dataclass(frozen=True)
class RunRow:
    """A run, and its newest evaluation without the single results."""

    run: Run
    evaluation: Evaluation | None

    @property
    def whole(self) -> bool:
        """Whether it was trained to its end."""
        return is_done(self.run)


def run_rows(workspace: Workspace) -> list[RunRow]:
    """Every run, newest first."""
    newest: dict[str, Evaluation] = {}
    for one in evaluations(workspace):
        newest.setdefault(one.run_id, one)
    return [RunRow(run, newest.get(run.plan.run_id)) for run in runs(workspace)]


def chosen_with_evaluation(session: Session) -> tuple[Run | None, Evaluation | None]:
    """The chosen run and its newest evaluation, whole."""
    run = chosen_run(session.workspace)
    return run, evaluation_of(session.workspace, run.plan.run_id) if run else None
