"""What is trained: the accepted examples as they are now, by the recipe as it is now. Reads and writes the disk."""

from __future__ import annotations

from studio.build import Session
from studio.build.stages import planned_run
from studio.jobs import Job
from studio.train import resume_or_start
from studio.train.types import TrainPlan
from studio.triage import export_chatml


def plan_now(session: Session) -> TrainPlan:
    """Export what is accepted and plan its run. Raises UserError where there is nothing to train with."""
    return planned_run(session, export_chatml(session.workspace, session.loaded.hash))


def train_now(session: Session) -> Job:
    """Start the run of :func:`plan_now`, or go on with it where it was begun."""
    return resume_or_start(session.workspace, plan_now(session))
