"""A workspace's runs: started once, found again, gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.jobs import AlreadyRunning, Job, JobRequest
from studio.store import Workspace
from studio.train import base_of, find_run, finished_run, resume_or_start, resume_run, run, runs, start
from studio.train.run import RUN_FILE, read_run, write_run
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

    monkeypatch.setattr("studio.train.run.start_job", start_job)
    monkeypatch.setattr("studio.train.run.resume", resume_job)
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
    write_run(run_dir, Run(plan=plan, job_id=job_id, finished=finished))
    run = read_run(run_dir)
    assert run is not None
    return run


def job_of(workspace: Workspace, plan: TrainPlan, name: str = "first") -> Job:
    """A job that was asked to train ``plan`` in this workspace, and has ended."""
    job = Job(workspace.jobs_dir / name)
    params = TrainParams(plan=plan, run_dir=str((workspace.runs_dir / plan.run_id).absolute()))
    asked = JobRequest(id=name, stage="train", entry="x:y", params=params.model_dump(mode="json"), created=plan.created)
    job.folder.mkdir()
    job.paths.request.write_text(asked.model_dump_json())
    return job


def test_a_run_that_a_later_version_wrote_is_read_but_for_what_it_added(workspace: Workspace, plan: TrainPlan) -> None:
    run = finish(workspace, plan)
    file = workspace.runs_dir / plan.run_id / RUN_FILE
    written = json.loads(file.read_text())
    written["later"] = written["plan"]["later"] = written["finished"]["later"] = 1
    file.write_text(json.dumps(written))
    assert read_run(file.parent) == run


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
    job_of(workspace, plan)
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


def moved(workspace: Workspace, root: Path) -> Workspace:
    """The workspace after its root was renamed."""
    workspace.close()
    workspace.folder.parent.rename(root)
    return Workspace.open(root, workspace.folder.name)


def test_a_finished_run_is_found_where_its_workspace_was_moved_to(tmp_path: Path, plan: TrainPlan) -> None:
    before = Workspace.open(tmp_path / "before", "persona")
    finish(before, plan)
    after = moved(before, tmp_path / "after")
    run = finished_run(after, plan.fingerprint)
    assert run and run.finished
    assert Path(run.finished.adapter_path) == after.runs_dir / plan.run_id / "adapter"
    assert Path(run.plan.data_path).is_relative_to(after.folder)


@pytest.mark.parametrize("how", ["by its plan", "by its job"])
def test_a_stopped_run_whose_workspace_was_moved_goes_on_there(
    tmp_path: Path, plan: TrainPlan, begun: list[str], how: str
) -> None:
    before = Workspace.open(tmp_path / "before", "persona")
    job_of(before, plan)
    finish(before, plan, stopped=True, job_id="first")
    (before.runs_dir / plan.run_id / "data.jsonl").write_text("kept")
    Path(plan.data_path).unlink()
    after = moved(before, tmp_path / "after")
    if how == "by its plan":
        resume_or_start(after, plan)
    else:
        resume_run(after, Job(after.jobs_dir / "first"))
    assert begun == [f"start {plan.run_id}"], "the job would work in the folder that is gone"
    assert Path(find_run(after, plan.run_id).plan.data_path).read_text() == "kept"


def test_the_base_of_a_run_is_looked_for_anew_once_it_has_gone(tmp_path: Path, plan: TrainPlan) -> None:
    (tmp_path / "base").mkdir()
    gone = plan.model_copy(update={"base_path": str(tmp_path / "venv" / "base")})
    there = plan.model_copy(update={"base_model": "base", "base_path": str(tmp_path / "base")})
    assert base_of(gone) == plan.base_path and base_of(there) == str(tmp_path / "base")
    with pytest.raises(UserError, match="no such folder"):
        base_of(there.model_copy(update={"base_model": "./gone", "base_path": "/gone"}))


def test_a_run_in_progress_is_not_touched_by_starting_it_again(
    workspace: Workspace, plan: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(workspace.runs_dir / plan.run_id, Run(plan=plan, job_id="living"))
    living = Job(workspace.jobs_dir / "living")
    monkeypatch.setattr(run, "active", lambda jobs_dir, stage: living)
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


def test_a_run_keeps_both_sides_of_the_snapshot_that_it_began_with(
    workspace: Workspace, plan: TrainPlan, begun: list[str], tmp_path: Path
) -> None:
    def split(name: str) -> TrainPlan:
        file = tmp_path / f"{name}.jsonl"
        file.write_text(f"{name}\n")
        return plan.model_copy(
            update={"snapshot": name, "validation_path": str(file), "validation_examples": len(name)}
        )

    start(workspace, split("data-first"))
    start(workspace, split("data-second"))
    run = find_run(workspace, plan.run_id)
    held_back = workspace.runs_dir / plan.run_id / "validation.jsonl"
    assert (run.plan.snapshot, run.plan.validation_path) == ("data-first", str(held_back))
    assert (run.plan.validation_examples, held_back.read_text()) == (len("data-first"), "data-first\n")
    held_back.unlink()
    with pytest.raises(UserError, match="data is gone"):
        start(workspace, split("data-third"))
