"""Starting a training run: room for it, and the spec that it is trained by kept beside it."""

from __future__ import annotations

from studio.build.types import Session
from studio.jobs import Job
from studio.serve import end_unused
from studio.spec import keep_spec
from studio.train import resume_or_start, resume_run
from studio.train.folder import SPEC
from studio.train.types import TrainPlan


def begin_training(session: Session, plan: TrainPlan) -> Job:
    """Start the run of ``plan``, or go on with it. A model's worker that nobody uses ends first.

    Raises as :func:`studio.train.start`.
    """
    workspace = session.workspace
    end_unused(workspace.jobs_dir)
    if session.loaded.hash == plan.spec_hash:
        keep_spec(session.loaded, workspace.runs_dir / plan.run_id / SPEC)
    return resume_or_start(workspace, plan)


def resume_training(session: Session, job: Job) -> Job:
    """Go on with the run of a training job that ended, whatever the spec says now."""
    end_unused(session.workspace.jobs_dir)
    return resume_run(session.workspace, job)
