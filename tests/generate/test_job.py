"""Generating as a job of its own: killed in the middle and started again, nothing is lost and nothing done twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from studio.generate import ExampleScored, GenerateFinished, GenerateParams, read_recordings, set_concurrency
from studio.generate.types import GenerateProgressed
from studio.jobs import Job, resume, start
from studio.llm import ModelSettings
from studio.store import Filter, Row, Workspace
from tests import small_persona
from tests.generate.making import wren
from tests.jobs.helpers import until
from tests.llm import helpers
from tests.llm.fake_server import FakeServer

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
    assert {event.example_id for event in told(job)} <= set(before), "what was told is stored"

    resume(job)
    assert job.wait(60).state == "finished", job.log_tail()
    after = stored(workspace)
    assert all(after[key] == row for key, row in before.items()), "what was there is there as it was"
    assert {key: row.example.messages for key, row in after.items()} == {
        key: one.messages for key, one in recorded.items()
    }
    ids = [event.example_id for event in told(job)]
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


# --- against a server


class HeldAuthor:
    """Writes conversations, and holds back all but the first ``free``."""

    def __init__(self, free: int) -> None:
        self.free, self.written, self.release = free, 0, asyncio.Event()

    async def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        self.free -= 1
        if self.free < 0:
            await self.release.wait()
        self.written += 1
        said = " ".join(f"word{self.written}x{number}" for number in range(14))
        turns = [{"role": "user", "content": f"Is {said} well?"}, {"role": "assistant", "content": f"Yes, {said} is."}]
        return {"messages": turns, "user": None, "assistant": None}


def begin_at(server: FakeServer, root: Path) -> tuple[Workspace, Job]:
    """A job whose author is the server's model, and whose judge was learned from labels."""
    spec = small_persona.copy_to(root / "specs", recorded=False)
    workspace = Workspace.open(root, small_persona.SLUG)
    served = ModelSettings(endpoint=server.url, model="fake")
    settings = ModelSettings(author_local="fake", author_served=served)
    asked = GenerateParams(spec_path=str(spec), workspace=str(root), settings=settings, concurrency=2)
    return workspace, start(workspace.jobs_dir, "generate", ENTRY, asked)


async def test_its_concurrency_changes_while_it_runs_and_a_second_stop_cancels_what_the_first_awaits(
    tmp_path: Path,
) -> None:
    async with FakeServer(HeldAuthor(free=0)) as server:
        workspace, job = begin_at(server, tmp_path)
        await helpers.until(lambda: len(server.requests) == 2)
        set_concurrency(job.folder, 5)
        await helpers.until(lambda: len(server.requests) == 5)
        job.stop()
        await helpers.until(lambda: any(one.stopping for one in progress(job)))
        assert next(one.flow for one in progress(job) if one.stopping) == "stopping, 5 answers awaited"
        assert job.view().state == "stopping"
        job.stop()
        view = await asyncio.to_thread(job.wait, 30)
        assert view.state == "stopped" and len(server.requests) == server.most_at_once == 5
    assert workspace.examples.count(Filter()) == 0


def progress(job: Job) -> list[GenerateProgressed]:
    events, _ = job.events()
    return [GenerateProgressed.model_validate(one.data) for one in events if one.kind == "generate_progressed"]


async def test_killed_with_answers_on_record_and_calls_under_way_it_pays_for_nothing_twice(tmp_path: Path) -> None:
    author = HeldAuthor(free=6)
    async with FakeServer(author) as server:
        workspace, job = begin_at(server, tmp_path)
        await helpers.until(lambda: workspace.examples.spent().calls == 6)
        await helpers.until(lambda: len(server.requests) == 8)
        job.kill()
        assert (await asyncio.to_thread(job.wait, 20)).state == "dead"
        await helpers.until(lambda: server._at_once == 0)
        author.release.set()
        await asyncio.to_thread(resume, job)
        assert (await asyncio.to_thread(job.wait, 60)).state == "finished", job.log_tail()
        assert workspace.examples.spent().calls == server.answered, "every answer that was sent is on record, once"
        asked = [str(body["messages"]) for body in server.requests]
    assert len(asked) - len(set(asked)) <= 2, "nothing was asked again but what was under way"
    ids = [event.example_id for event in told(job)]
    assert len(ids) == len(set(ids))
