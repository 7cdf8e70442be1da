"""Generating as a job of its own: killed in the middle and started again, nothing is lost and nothing done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from studio.generate import ExampleScored, GenerateFinished, GenerateParams, coverage
from studio.jobs import Job, resume, start
from studio.store import Filter, Row, Workspace
from tests.generate.making import SPECS, taskmaster

ENTRY = "studio.generate.job:main"
WANTED = 300


def begin(root: Path, **params: object) -> tuple[Workspace, Job]:
    workspace = Workspace.open(root, taskmaster().spec.slug)
    asked = {"spec_path": str(SPECS / "taskmaster.yaml"), "workspace": str(root), "examples": WANTED, **params}
    return workspace, start(workspace.jobs_dir, "generate", ENTRY, GenerateParams.model_validate(asked))


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "never came true"
        time.sleep(0.01)


def told(job: Job) -> list[ExampleScored]:
    events, _ = job.events()
    return [ExampleScored.model_validate(event.data) for event in events if event.kind == "example_scored"]


def stored(workspace: Workspace) -> dict[str, Row]:
    return {row.example.id: row for row in workspace.examples.each()}


def test_killed_in_the_middle_and_resumed_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    workspace, job = begin(tmp_path)
    until(lambda: workspace.examples.count(Filter()) > 60)
    job.kill()
    assert job.wait(20).state == "dead"
    before = stored(workspace)
    assert 60 < len(before) < WANTED, "it was killed in the middle"
    assert {event.example.id for event in told(job)} <= set(before), "what was told is stored"

    resume(job)
    assert job.wait(300).state == "finished", job.log_tail()
    after = stored(workspace)
    assert all(after[key] == row for key, row in before.items()), "what was there is there as it was"
    targets = coverage(taskmaster(), workspace, WANTED)
    assert sum(one.accepted for one in targets) == WANTED
    assert all(one.accepted == one.target for one in targets)
    seeds = [(row.example.category, row.example.scenario, row.example.seed) for row in after.values()]
    assert len(set(seeds)) == len(seeds)
    accepted = [row.messages for row in after.values() if row.status == "accepted"]
    assert len(set(accepted)) == len(accepted)
    ids = [event.example.id for event in told(job)]
    assert len(ids) == len(set(ids)) and set(ids) <= set(after)
    assert len(after) - len(ids) <= 1, "at most the example between its storing and its telling has no event"


def test_stopped_it_keeps_what_came_back_and_is_told_as_stopped(tmp_path: Path) -> None:
    workspace, job = begin(tmp_path, examples=5000)
    until(lambda: workspace.examples.count(Filter()) > 20)
    job.stop()
    assert job.wait(60).state == "stopped"
    events, _ = job.events()
    last = GenerateFinished.model_validate(events[-1].data)
    assert not last.complete and last.accepted == workspace.examples.count(Filter(status="accepted"))


def test_a_failure_is_the_job_s_one_line(tmp_path: Path) -> None:
    spec = tmp_path / "small.yaml"
    spec.write_text(
        "schema: 2\nname: Small\npurpose: To be too small.\ntraits: [{name: kind, is: Kind}]\n"
        "scenarios: {pets: {target: 2, items: [Found a pet]}}\nsuccess: {examples: 2}\n"
    )
    workspace = Workspace.open(tmp_path, "small")
    asked = GenerateParams(spec_path=str(spec), workspace=str(tmp_path))
    view = start(workspace.jobs_dir, "generate", ENTRY, asked).wait(60)
    assert view.state == "failed"
    assert view.error is not None and "'Found a pet'" in view.error and "add two examples" in view.error
