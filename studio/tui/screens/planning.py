"""What is trained: the accepted examples as they are now, by the recipe as it is now. Reads and writes the disk."""

from __future__ import annotations

from dataclasses import dataclass

from studio.build import Session
from studio.build.stages import begin_training, planned_run
from studio.errors import UserError
from studio.evaluate.fingerprint import is_trial
from studio.jobs import Job
from studio.train.types import TrainPlan
from studio.triage import Export, export_chatml


@dataclass(frozen=True)
class Planned:
    """A plan, and what of the accepted examples it leaves out."""

    plan: TrainPlan
    export: Export
    stands_in_for: str = ""
    """The model to deploy on, where the run is a trial on another."""


def plan_now(session: Session) -> Planned:
    """Export what is accepted and plan its run. Raises UserError where there is nothing to train with."""
    export = export_chatml(session.workspace, session.loaded)
    if not export.count and export.stale:
        told = f"the {export.stale} accepted examples were judged by an earlier version of the spec"
        raise UserError(told, remedy="generate (3) judges them again")
    plan, deployed = planned_run(session, export), session.loaded.spec.deployment.base_model
    return Planned(plan, export, deployed if is_trial(plan.base_model, deployed) else "")


def train_now(session: Session) -> Job:
    """Start the run of :func:`plan_now`, or go on with it where it was begun."""
    return begin_training(session, plan_now(session).plan)
