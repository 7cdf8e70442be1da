"""Generating as a job of its own: killed in the middle and started again, nothing is lost and nothing done twice."""

from __future__ import annotations

from pathlib import Path

from studio.generate import ExampleScored, GenerateFinished, GenerateParams, read_recordings
from studio.jobs import Job, resume, start
from studio.store import Filter, Row, Workspace
from tests import small_persona
from tests.generate.making import wren
from tests.jobs.helpers import until

ENTRY = "studio.generate.job:main"


def begin(root: Path) -> tuple[Workspace, Job]:
    workspace = Workspace.open(root, small_persona.SLUG)
    asked = {"spec_path": str(small_persona.SPEC), "workspace": str(root), "concurrency": 2}
    return workspace, start(workspace.jobs_dir, "generate", ENTRY, GenerateParams.model_validate(asked))


def told(job: Job) -> list[ExampleScored]:
    events, _ = job.events()
    return [ExampleScored.model_validate(event.data) for event in events if event.kind == "example_scored"]


def stored(workspace: Workspace) -> dict[str, Row]:
    return {row.example.id: row for row in workspace.examples.each()}


def test_killed_in_the_middle_of_a_recording_and_resumed_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    recorded = {one.example_id: one for one in read_recordings(wren())}
    workspace, job = begin(tmp_path)
    until(lambda: workspace.examples.count(Filter()) > 5, seconds=60)
    job.kill()
    assert job.wait(20).state == "dead"
    before = stored(workspace)
    assert 5 < len(before) < len(recorded), "it was killed in the middle"
    assert {event.example.id for event in told(job)} <= set(before), "what was told is stored"

    resume(job)
    assert job.wait(60).state == "finished", job.log_tail()
    after = stored(workspace)
    assert all(after[key] == row for key, row in before.items()), "what was there is there as it was"
    assert {key: row.example.messages for key, row in after.items()} == {
        key: one.messages for key, one in recorded.items()
    }
    ids = [event.example.id for event in told(job)]
    assert len(ids) == len(set(ids)) and set(ids) <= set(after)
    assert len(after) - len(ids) <= 1, "at most the example between its storing and its telling has no event"


def test_stopped_it_keeps_what_came_back_and_is_told_as_stopped(tmp_path: Path) -> None:
    workspace, job = begin(tmp_path)
    until(lambda: workspace.examples.count(Filter()) > 5, seconds=60)
    job.stop()
    assert job.wait(60).state == "stopped"
    events, _ = job.events()
    last = GenerateFinished.model_validate(events[-1].data)
    assert not last.complete and last.generated == workspace.examples.count(Filter())


def test_a_failure_is_the_job_s_one_line(tmp_path: Path) -> None:
    spec = small_persona.copy_to(tmp_path / "specs", recorded=False)
    workspace = Workspace.open(tmp_path, small_persona.SLUG)
    asked = GenerateParams(spec_path=str(spec), workspace=str(tmp_path))
    view = start(workspace.jobs_dir, "generate", ENTRY, asked).wait(60)
    assert view.state == "failed"
    assert view.error is not None and "nobody is there to write examples" in view.error
