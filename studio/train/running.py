"""The workspace's runs: finding them, starting one, going on with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from studio.errors import UserError
from studio.files import write_atomic
from studio.jobs import AlreadyRunning, Job, active, resume
from studio.jobs import start as start_job
from studio.train.base import resolve_base
from studio.train.folder import DATA_FILE, read_run, write_run
from studio.train.types import Run, TrainParams, TrainPlan

if TYPE_CHECKING:  # for the worker, which imports this room, it would be dead weight
    from studio.store import Workspace

STAGE = "train"
ENTRY = "studio.train.worker.main:main"


def runs(workspace: Workspace) -> list[Run]:
    """All runs, the newest first."""
    found = [run for path in workspace.runs_dir.glob("*/") if (run := read_run(path))]
    return sorted(found, key=lambda run: run.plan.created, reverse=True)


def find_run(workspace: Workspace, run_id: str) -> Run:
    """Raises :class:`UserError` where there is no such run."""
    run = next((run for run in runs(workspace) if run.plan.run_id == run_id), None)
    if run is None:
        known = ", ".join(run.plan.run_id for run in runs(workspace)) or "none yet"
        raise UserError("no such run", where=run_id, remedy=f"runs: {known}")
    return run


def finished_run(workspace: Workspace, fingerprint: str) -> Run | None:
    """The run of a plan, if it came to its end and its adapter is still there."""
    return next((run for run in runs(workspace) if run.plan.fingerprint == fingerprint and is_done(run)), None)


def is_done(run: Run) -> bool:
    """Trained to its last step, with the adapter in place."""
    return run.finished is not None and not run.finished.stopped and Path(run.finished.adapter_path).is_dir()


def base_of(plan: TrainPlan) -> str:
    """What to load as a run's base model now: the folder that it was trained from, if that is still there (its name may
    be a relative path), else what its name leads to. Raises :class:`UserError` where that cannot be had."""
    return plan.base_path if Path(plan.base_path).is_dir() else resolve_base(plan.base_model)


def start(workspace: Workspace, plan: TrainPlan) -> Job:
    """Start a run in a process of its own. What an earlier process of the same run saved is gone on with.

    Raises AlreadyRunning while another training job lives, and :class:`UserError` where the run is done already.
    """
    if finished_run(workspace, plan.fingerprint):
        remedy = "change the data, the recipe or its seed for another one"
        raise UserError("this run is done already: it would come out the same", where=plan.run_id, remedy=remedy)
    if running := active(workspace.jobs_dir, STAGE):
        raise AlreadyRunning(running)  # before the folder of what may be the very same run is touched
    return start_job(workspace.jobs_dir, STAGE, ENTRY, _prepared(workspace, plan))


def resume_or_start(workspace: Workspace, plan: TrainPlan) -> Job:
    """Go on with the job of this plan's run, if it has one that works in this folder and was asked for just this; else
    start one, which goes on from the run's checkpoints all the same.

    A run in other micro batches is the same run, but its job would take as much memory as before.
    """
    known = read_run(_run_dir(workspace, plan))
    job = Job(workspace.jobs_dir / known.job_id) if known and known.job_id else None
    if job is None or not _works_here(job, workspace, plan) or (known and is_done(known)):
        return start(workspace, plan)
    return resume(job)


def resume_run(workspace: Workspace, job: Job) -> Job:
    """Go on with the run of a training job that ended. Raises as :func:`start`."""
    asked = _asked(job)
    if asked is None:
        raise UserError("not a training job of this version", where=job.id, remedy="start the training again")
    return resume_or_start(workspace, asked.plan.model_copy(update={"base_path": base_of(asked.plan)}))


def _works_here(job: Job, workspace: Workspace, plan: TrainPlan) -> bool:
    """Whether a job would do the plan as it is now, and here: it may have been asked when the workspace or the base
    model lay elsewhere, or with another recipe of the same result."""
    asked, wanted = _asked(job), (str(_run_dir(workspace, plan)), plan.base_path, plan.recipe)
    return asked is not None and (asked.run_dir, asked.plan.base_path, asked.plan.recipe) == wanted


def _asked(job: Job) -> TrainParams | None:
    try:
        return TrainParams.model_validate(job.request.params)
    except (UserError, ValidationError):
        return None


def _run_dir(workspace: Workspace, plan: TrainPlan) -> Path:
    return (workspace.runs_dir / plan.run_id).absolute()


def _prepared(workspace: Workspace, plan: TrainPlan) -> TrainParams:
    """The run's folder with a copy of its data: a later export must not change what a resumed run trains on."""
    run_dir = _run_dir(workspace, plan)
    kept = run_dir / DATA_FILE
    try:
        if not kept.exists():
            write_atomic(kept, Path(plan.data_path).read_bytes())
    except FileNotFoundError:
        raise UserError("the training data is gone", where=plan.data_path, remedy="export it again") from None
    plan = plan.model_copy(update={"data_path": str(kept)})
    write_run(run_dir, Run(plan=plan))
    return TrainParams(plan=plan, run_dir=str(run_dir))
