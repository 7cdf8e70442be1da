"""Runs as things: what is known of each, what hangs on it, and deleting one with what it takes of the disk."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate import evaluation_of, evaluations
from studio.evaluate.report import TABLE as EVALUATIONS
from studio.jobs import Job, list_jobs
from studio.package import packages
from studio.serve import end_unused
from studio.store import Workspace
from studio.train import Run, find_run, runs, tags
from studio.train.records import remove_run, size_of
from studio.train.run import is_done


class RunSummary(Frozen):
    """A run in a list. ``bytes`` is what its folder takes; ``verdict`` is empty where it is not evaluated."""

    id: str
    name: str
    note: str
    created: datetime
    base_model: str
    examples: int
    steps: int
    state: str
    """``trained``, ``stopped`` or ``begun``."""
    loss: float | None
    verdict: str
    gates_passed: int
    gates: int
    overall: float | None
    packages: tuple[str, ...]
    bytes: int


class Deletion(Frozen):
    """What deleting a run frees, and what depends on it, in words: ``evaluated (undecided)``."""

    run_id: str
    bytes: int
    depending: tuple[str, ...]


def chosen_run(workspace: Workspace) -> Run | None:
    """The newest run that was trained to its end: the one to evaluate, to talk to and to pack."""
    return next((run for run in runs(workspace) if is_done(run)), None)


def run_summaries(workspace: Workspace) -> list[RunSummary]:
    """Every run, the newest first."""
    newest = {one.run_id: one for one in reversed(evaluations(workspace))}
    made, known, found = packages(workspace), tags(workspace), []
    for run in runs(workspace):
        plan, finished, run_id = run.plan, run.finished, run.plan.run_id
        evaluation, tag = newest.get(run_id), known.get(run_id)
        overall = evaluation.tuned.overall if evaluation else None
        found.append(
            RunSummary(
                id=run_id,
                name=tag.name if tag else "",
                note=tag.note if tag else "",
                created=plan.created,
                base_model=plan.base_model,
                examples=plan.examples,
                steps=plan.steps,
                state="trained" if is_done(run) else "stopped" if finished else "begun",
                loss=finished.loss if finished else None,
                verdict=evaluation.verdict if evaluation else "",
                gates_passed=sum(gate.status == "PASS" for gate in evaluation.gates) if evaluation else 0,
                gates=len(evaluation.gates) if evaluation else 0,
                overall=overall.value if overall else None,
                packages=tuple(one.id for one in made if one.run_id == run_id),
                bytes=size_of(workspace.runs_dir / run_id),
            )
        )
    return found


def deletion(workspace: Workspace, run: Run) -> Deletion:
    """What deleting it would free, and what depends on it. Raises :class:`UserError` where a job works with it."""
    run_id = run.plan.run_id
    if job := _user(workspace, run_id):
        remedy = f"wait for it, or: studio jobs stop {job.id}"
        raise UserError(f"{job.stage} works with {run_id}", where=job.id, remedy=remedy)
    depending = []
    if made := [one.id for one in packages(workspace) if one.run_id == run_id]:
        depending.append(f"packed as {', '.join(made)}")
    if evaluation := evaluation_of(workspace, run_id):
        depending.append(f"evaluated ({evaluation.verdict})")
    labels, votes = workspace.labels.of_run(run_id), workspace.labels.votes_of_run(run_id)
    if labels or votes:
        depending.append(f"labelled by people ({len(labels)} replies, {len(votes)} pairs)")
    return Deletion(run_id=run_id, bytes=size_of(workspace.runs_dir / run_id), depending=tuple(depending))


def delete_run(workspace: Workspace, named: str, *, force: bool = False) -> Deletion:
    """Remove a run's folder, evaluations, name and note. Packages, which are whole without it, people's labels and the
    record of looks at locked probes stay.

    Raises :class:`UserError` where a job works with it or, unless ``force``, something depends on it.
    """
    run = find_run(workspace, named)
    if workspace.read_only:
        raise UserError("the workspace is read-only", where=str(workspace.folder), remedy="copy it to another disk")
    found = deletion(workspace, run)
    if found.depending and not force:
        raise UserError(
            f"it is {' and '.join(found.depending)}", where=found.run_id, remedy="--force deletes it anyway"
        )
    end_unused(workspace.jobs_dir)  # a worker that has its adapter loaded, and nobody to ask it
    freed = remove_run(workspace, run)
    for one in evaluations(workspace):
        if one.run_id == found.run_id:
            workspace.documents.remove(EVALUATIONS, one.id)
    return found.model_copy(update={"bytes": freed})


def _user(workspace: Workspace, run_id: str) -> Job | None:
    """A living job that was asked about the run; a worker that serves it and that nobody asks is none."""
    for job in list_jobs(workspace.jobs_dir):
        if job.alive and _names(job.request.params, run_id):
            if job.stage == "serve" and end_unused(workspace.jobs_dir):
                continue
            return job
    return None


def _names(params: dict[str, Any], run_id: str) -> bool:
    return run_id in json.dumps(params)
