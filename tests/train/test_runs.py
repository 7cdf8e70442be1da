"""A workspace's runs: started once, found again, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import UserError
from studio.jobs import AlreadyRunning, Job
from studio.store import Workspace
from studio.train import find_run, finished_run, resume_or_start, running, runs, start
from studio.train.folder import write_run
from studio.train.types import Run, TrainFinished, TrainParams, TrainPlan
from tests.train.making import make_plan


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path, "persona")


@pytest.fixture
def plan(tmp_path: Path) -> TrainPlan:
    return make_plan(tmp_path / "data")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be started: ``start RUN`` or ``resume JOB``. Nothing is."""
    told: list[str] = []

    def start_job(jobs_dir: Path, stage: str, entry: str, params: TrainParams) -> Job:
        told.append(f"start {params.plan.run_id}")
        return Job(jobs_dir / "new")

    def resume_job(job: Job) -> Job:
        told.append(f"resume {job.id}")
        return job

    monkeypatch.setattr("studio.train.running.start_job", start_job)
    monkeypatch.setattr("studio.train.running.resume", resume_job)
    return told


def finish(workspace: Workspace, plan: TrainPlan, *, stopped: bool = False, job_id: str = "") -> Run:
    run_dir = workspace.runs_dir / plan.run_id
    (run_dir / "adapter").mkdir(parents=True, exist_ok=True)
    finished = TrainFinished(
        run_id=plan.run_id,
        steps=1,
        loss=0.5,
        seconds=1,
        adapter_path=str(run_dir / "adapter"),
        adapter_mb=1,
        stopped=stopped,
    )
    run = Run(plan=plan, job_id=job_id, finished=finished)
    write_run(run_dir, run)
    return run


def test_a_started_run_is_listed_with_its_own_copy_of_the_data(
    workspace: Workspace, plan: TrainPlan, begun: list[str]
) -> None:
    start(workspace, plan)
    [run] = runs(workspace)
    assert begun == [f"start {plan.run_id}"] and run.finished is None
    Path(plan.data_path).write_text("changed later")
    assert Path(run.plan.data_path).read_text().startswith('{"messages"')


def test_a_run_that_is_done_is_not_done_twice(workspace: Workspace, plan: TrainPlan, begun: list[str]) -> None:
    run = finish(workspace, plan)
    assert finished_run(workspace, plan.fingerprint) == run == find_run(workspace, plan.run_id)
    with pytest.raises(UserError, match="done already"):
        start(workspace, plan)
    assert begun == []


def test_a_stopped_run_is_not_done_and_its_job_is_resumed(
    workspace: Workspace, plan: TrainPlan, begun: list[str]
) -> None:
    (workspace.jobs_dir / "first").mkdir()
    finish(workspace, plan, stopped=True, job_id="first")
    assert finished_run(workspace, plan.fingerprint) is None
    resume_or_start(workspace, plan)
    assert begun == ["resume first"]


def test_a_run_that_is_to_take_less_memory_is_gone_on_with_by_a_job_that_is_asked_so(
    workspace: Workspace, plan: TrainPlan, begun: list[str]
) -> None:
    (workspace.jobs_dir / "first").mkdir()
    finish(workspace, plan, stopped=True, job_id="first")
    recipe = plan.recipe.model_copy(update={"micro_batch_size": 2})
    resume_or_start(workspace, plan.model_copy(update={"recipe": recipe}))
    assert begun == [f"start {plan.run_id}"]


def test_a_run_whose_job_is_gone_is_started_anew(workspace: Workspace, plan: TrainPlan, begun: list[str]) -> None:
    finish(workspace, plan, stopped=True, job_id="removed")
    resume_or_start(workspace, plan)
    assert begun == [f"start {plan.run_id}"]


def test_a_run_in_progress_is_not_touched_by_starting_it_again(
    workspace: Workspace, plan: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(workspace.runs_dir / plan.run_id, Run(plan=plan, job_id="living"))
    living = Job(workspace.jobs_dir / "living")
    monkeypatch.setattr(running, "active", lambda jobs_dir, stage: living)
    monkeypatch.setattr("studio.jobs.job.Job.stage", "train")
    with pytest.raises(AlreadyRunning):
        start(workspace, plan)
    assert find_run(workspace, plan.run_id).job_id == "living"


def test_a_run_without_its_adapter_does_not_count(workspace: Workspace, plan: TrainPlan) -> None:
    run = finish(workspace, plan)
    assert run.finished
    Path(run.finished.adapter_path).rmdir()
    assert finished_run(workspace, plan.fingerprint) is None


def test_an_unknown_run_is_a_users_error(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="none yet"):
        find_run(workspace, "run-0")
