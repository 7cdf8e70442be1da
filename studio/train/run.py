"""Runs of the workspace: the folder that each has, finding one, starting one, going on with one.

A folder holds ``run.json``, ``data.jsonl``, ``metrics.jsonl``, ``spec/``, ``checkpoints/`` and ``adapter/``. Where the
run was sampled there is ``samples.jsonl``, where its snapshot has such a side ``validation.jsonl``; ``start/`` is the
adapter that it goes on from, if it does.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from studio.chatml import Frozen
from studio.errors import UserError
from studio.files import write_atomic
from studio.jobs import AlreadyRunning, Job, active, resume
from studio.jobs import start as start_job
from studio.train.base import adapter_hash, resolve_base
from studio.train.types import Rewards, Run, TrainParams, TrainPlan

if TYPE_CHECKING:  # for the worker, which imports this room, it would be dead weight
    from studio.store import Workspace

STAGE = "train"
ENTRY = "studio.train.worker.main:main"
RUN_FILE, DATA_FILE, METRICS_FILE = "run.json", "data.jsonl", "metrics.jsonl"
SAMPLES_FILE = "samples.jsonl"
SFT_FILE = "sft.jsonl"
VALIDATION_FILE = "validation.jsonl"
CHECKPOINTS, ADAPTER, SPEC, START = "checkpoints", "adapter", "spec", "start"
Line = TypeVar("Line", bound=Frozen)
WEIGHTS = "adapter_model.safetensors"


class StepMetrics(Frozen):
    """An optimiser step, a line of ``metrics.jsonl``. ``seconds`` counts the training so far, without the time in which
    it stood still; ``grad_norm`` is before clipping."""

    step: int
    loss: float
    learning_rate: float
    epoch: float
    validation_loss: float | None = None
    rewards: Rewards | None = None
    grad_norm: float | None = None
    seconds: float


class Sample(Frozen):
    """What a run replied to a probe at a step, a line of ``samples.jsonl``."""

    step: int
    probe: str
    reply: str


def read_metrics(run_dir: Path) -> list[StepMetrics]:
    """The steps in order. A line that was cut by a crash is left out."""
    return _lines(run_dir / METRICS_FILE, StepMetrics)


def samples_file(run_dir: Path) -> Path:
    return run_dir / SAMPLES_FILE


def read_samples(run_dir: Path) -> list[Sample]:
    """In the order in which they were drawn; each step has one of every probe."""
    return _lines(samples_file(run_dir), Sample)


def _lines(path: Path, kind: type[Line]) -> list[Line]:
    found = []
    with suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8").split("\n"):
            with suppress(ValidationError):
                found.append(kind.model_validate_json(line, extra="ignore"))
    return found


def write_run(run_dir: Path, run: Run) -> None:
    write_atomic(run_dir / RUN_FILE, run.model_dump_json(indent=2) + "\n")


def read_run(run_dir: Path) -> Run | None:
    """The run, with the paths that it has now: the folder may have been moved or copied since it was written.

    None where the folder holds none that can be read.
    """
    try:
        run = Run.model_validate_json((run_dir / RUN_FILE).read_text(), extra="ignore")
    except (OSError, ValidationError):
        return None
    here = run_dir.absolute()
    validation = str(here / VALIDATION_FILE) if run.plan.validation_path else ""
    paths = {"data_path": str(here / DATA_FILE), "validation_path": validation}
    if run.plan.start_path:
        paths["start_path"] = str(here / START)
    if run.plan.sft_path:
        paths["sft_path"] = str(here / SFT_FILE)
    plan = run.plan.model_copy(update=paths)
    finished = run.finished and run.finished.model_copy(update={"adapter_path": str(here / ADAPTER)})
    return run.model_copy(update={"plan": plan, "finished": finished})


def runs(workspace: Workspace) -> list[Run]:
    """All runs, the newest first."""
    found = [run for path in workspace.runs_dir.glob("*/") if (run := read_run(path))]
    return sorted(found, key=lambda run: run.plan.created, reverse=True)


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

    Its data is copied into its folder: a later export must not change what a resumed run trains on, and one that is
    gone on with keeps the snapshot that it began with. Raises AlreadyRunning while another training job lives, and
    :class:`UserError` where the run is done already.
    """
    if finished_run(workspace, plan.fingerprint):
        remedy = "change the data, the recipe or its seed for another one"
        raise UserError("this run is done already: it would come out the same", where=plan.run_id, remedy=remedy)
    if running := active(workspace.jobs_dir, STAGE):
        raise AlreadyRunning(running)  # before the folder of what may be the very same run is touched
    run_dir = _run_dir(workspace, plan)
    begun = read_run(run_dir)
    if begun is not None and begun.plan.snapshot:
        own = begun.plan.model_dump(include={"snapshot", "validation_path", "validation_examples"})
        plan = plan.model_copy(update=own)
    held_back = _kept(run_dir / VALIDATION_FILE, plan.validation_path) if plan.validation_path else ""
    copies = {"data_path": _kept(run_dir / DATA_FILE, plan.data_path), "validation_path": held_back}
    if plan.sft_path:
        copies["sft_path"] = _kept(run_dir / SFT_FILE, plan.sft_path)
    if plan.start_path:
        copies["start_path"] = _kept_adapter(run_dir / START, plan)
    plan = plan.model_copy(update=copies)
    write_run(run_dir, Run(plan=plan))
    return start_job(workspace.jobs_dir, STAGE, ENTRY, TrainParams(plan=plan, run_dir=str(run_dir)))


def resume_or_start(workspace: Workspace, plan: TrainPlan) -> Job:
    """Go on with the job of this plan's run, if it has one that works in this folder and was asked for just this; else
    start one, which goes on from the run's checkpoints all the same.

    The job may have been asked when the workspace or the base model lay elsewhere. A run in other micro batches is the
    same run, but its job would take as much memory as before.
    """
    run_dir = _run_dir(workspace, plan)
    known = read_run(run_dir)
    if known and known.job_id and not is_done(known):
        job = Job(workspace.jobs_dir / known.job_id)
        asked, wanted = _asked(job), (str(run_dir), plan.base_path, plan.recipe)
        if asked is not None and (asked.run_dir, asked.plan.base_path, asked.plan.recipe) == wanted:
            return resume(job)
    return start(workspace, plan)


def resume_run(workspace: Workspace, job: Job) -> Job:
    """Go on with the run of a training job that ended. Raises as :func:`start`."""
    asked = _asked(job)
    if asked is None:
        raise UserError("not a training job of this version", where=job.id, remedy="start the training again")
    return resume_or_start(workspace, asked.plan.model_copy(update={"base_path": base_of(asked.plan)}))


def _kept(path: Path, source: str) -> str:
    """A copy of ``source`` at ``path``, where there is none yet."""
    try:
        if not path.exists():
            write_atomic(path, Path(source).read_bytes())
    except FileNotFoundError:
        raise UserError("the training data is gone", where=source, remedy="export it again") from None
    return str(path)


def _kept_adapter(folder: Path, plan: TrainPlan) -> str:
    """A copy of the adapter that a run goes on from, whose parent may be deleted before it is done."""
    try:
        if not folder.is_dir():
            fresh = folder.with_name(f".{folder.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(plan.start_path, fresh)
            fresh.rename(folder)
        if adapter_hash(folder) == plan.start_hash:
            return str(folder)
    except OSError as error:
        remedy = "train that run again, or name another one with --run"
        raise UserError(
            f"the adapter of {', '.join(plan.parents)} is gone", where=str(folder), remedy=remedy
        ) from error
    shutil.rmtree(folder)
    raise UserError(f"the adapter of {', '.join(plan.parents)} has changed", remedy="start the training again")


def _asked(job: Job) -> TrainParams | None:
    try:
        return TrainParams.model_validate(job.request.params, extra="ignore")
    except (UserError, ValidationError):
        return None


def _run_dir(workspace: Workspace, plan: TrainPlan) -> Path:
    return (workspace.runs_dir / plan.run_id).absolute()
