"""How a stage meets a job that is there already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from studio.build.session import BuildEvent, Session, StageBegan, StageError, StageTold, run_job
from studio.jobs import Job, list_jobs, start
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Workspace
from tests.build.entries import Params
from tests.build.making import SPECS

STAGE = "work"


class Stage:
    """A stage that is done once ``mark`` is there."""

    def __init__(self, folder: Path) -> None:
        loaded = load(SPECS / "taskmaster.yaml")
        self.workspace = Workspace.open(folder / "ws", loaded.spec.slug)
        self.session = Session(loaded, self.workspace, folder / "ws", ModelSettings())
        self.mark, self.hold = folder / "mark", folder / "hold"

    def start(self, entry: str = "work", *, hold: bool = False, mark: Path | None = None) -> Job:
        params = Params(mark=str(mark or self.mark), hold=str(self.hold) if hold else "")
        return start(self.workspace.jobs_dir, STAGE, f"tests.build.entries:{entry}", params)

    async def run(self, entry: str = "work", *, hold: bool = False) -> list[BuildEvent]:
        events: list[BuildEvent] = []
        begin = partial(self.start, entry, hold=hold)
        await run_job(events.append, self.session, STAGE, begin, self.mark.exists, "a note")
        return events

    @property
    def jobs(self) -> list[Job]:
        return list_jobs(self.workspace.jobs_dir, STAGE)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    for job in made.jobs:
        job.kill()
    made.workspace.close()


async def began(job: Job) -> None:
    while not job.events()[0]:  # noqa: ASYNC110 - the job is another process
        await asyncio.sleep(0.01)


async def test_a_job_is_started_and_told(stage: Stage) -> None:
    events = await stage.run()
    assert events[0] == StageBegan(stage=STAGE, note="a note")
    words = [event.event.data["word"] for event in events if isinstance(event, StageTold)]
    assert words == ["began", "ended"] and stage.mark.exists()


async def test_a_running_job_that_does_the_work_is_followed_and_no_second_one_started(stage: Stage) -> None:
    running = stage.start(hold=True)
    await began(running)
    stage.hold.touch()
    events = await stage.run()
    assert events[0] == StageBegan(stage=STAGE, note="following the job that runs already")
    assert stage.jobs == [running]


@pytest.mark.parametrize("entry", ["work", "fail"])
async def test_a_running_job_that_was_asked_something_else_is_waited_for(
    stage: Stage, tmp_path: Path, entry: str
) -> None:
    stage.start(entry, mark=tmp_path / "other")
    told = [event.note for event in await stage.run() if isinstance(event, StageBegan)]
    assert stage.mark.exists() and len(stage.jobs) == 2
    assert told == ["following the job that runs already", "a note"], "from where on it is the stage's own"


async def test_a_job_that_is_stopping_already_is_waited_for(stage: Stage) -> None:
    stopping = stage.start("save_slowly", hold=True)
    await began(stopping)
    stopping.stop()
    going = asyncio.create_task(stage.run())
    await asyncio.sleep(0.2)
    assert not going.done() and len(stage.jobs) == 1
    stage.hold.touch()
    await going
    assert stage.mark.exists() and stopping.view().state == "stopped"


async def test_a_job_that_somebody_stops_ends_the_stage(stage: Stage) -> None:
    going = asyncio.create_task(stage.run(hold=True))
    while not stage.jobs:  # noqa: ASYNC110 - the job is another process
        await asyncio.sleep(0.01)
    await began(stage.jobs[0])
    stage.jobs[0].stop()
    with pytest.raises(StageError, match="was stopped") as caught:
        await going
    assert "same command" in caught.value.remedy and len(stage.jobs) == 1


async def test_a_job_that_fails_ends_the_stage_with_its_line(stage: Stage) -> None:
    with pytest.raises(StageError, match="no such thing") as caught:
        await stage.run("fail")
    assert "log.txt" in caught.value.remedy


async def test_a_job_that_is_killed_ends_the_stage(stage: Stage) -> None:
    going = asyncio.create_task(stage.run(hold=True))
    while not stage.jobs:  # noqa: ASYNC110 - the job is another process
        await asyncio.sleep(0.01)
    await began(stage.jobs[0])
    stage.jobs[0].kill()
    with pytest.raises(StageError, match="killed") as caught:
        await going
    assert str(caught.value).count("log.txt") == 1, "where its log is, said once"
    assert "run the same command to go on" in caught.value.remedy


async def test_who_is_cancelled_stops_the_job_and_leaves_once_it_has_saved(stage: Stage) -> None:
    going = asyncio.create_task(stage.run(hold=True))
    while not stage.jobs:  # noqa: ASYNC110 - the job is another process
        await asyncio.sleep(0.01)
    await began(stage.jobs[0])
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert stage.jobs[0].view().state == "stopped" and Path(f"{stage.mark}.saved").exists()
