"""Starting a training: room for it, and the spec that it is trained by kept beside the run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studio.build import Session
from studio.build.stages import begin_training
from studio.jobs import Job
from studio.llm import ModelSettings
from studio.spec import kept_spec, load
from studio.store import Workspace
from studio.train.types import TrainPlan
from tests.build.making import SPECS
from tests.train.making import make_plan


def test_an_unused_worker_makes_room_and_the_spec_is_kept_with_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    path = Path(shutil.copytree(SPECS, tmp_path / "specs")) / "bank-support.yaml"
    loaded = load(path)
    workspace = Workspace.open(tmp_path / "ws", loaded.spec.slug)
    plan = make_plan(tmp_path / "data").model_copy(update={"spec_hash": loaded.hash})

    def end_unused(jobs_dir: Path) -> bool:
        assert jobs_dir == workspace.jobs_dir
        done.append("made room")
        return True

    def resume_or_start(workspace: Workspace, plan: TrainPlan) -> Job:
        done.append(f"started {plan.run_id}")
        return Job(workspace.jobs_dir / "new")

    monkeypatch.setattr("studio.build.stages.end_unused", end_unused)
    monkeypatch.setattr("studio.build.stages.resume_or_start", resume_or_start)
    begin_training(Session(loaded, workspace, tmp_path / "ws", ModelSettings()), plan)
    path.write_text("changed since")
    kept = kept_spec(workspace.runs_dir / plan.run_id / "spec", loaded.hash)
    assert done == ["made room", f"started {plan.run_id}"]
    assert kept and kept.spec == loaded.spec and kept.topics == loaded.topics
    workspace.close()
