"""What the bridge posts of a workspace that other processes change, and what is said behind the stages' names."""

from __future__ import annotations

import gc
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.message import Message

from studio.build import Session
from studio.build.status import Status, status_of
from studio.errors import UserError
from studio.jobs import JobRequest
from studio.jobs.record import Event
from studio.llm import ModelSettings
from studio.spec import load
from studio.train.run import write_run
from studio.train.types import StepLogged
from studio.tui.live.bridge import Bridge
from tests.tui.making import WHEN, fill, opened, until, write_spec
from tests.tui.outcomes import NOON, keep_evaluation, keep_package, keep_run

STEP = StepLogged(step=1, steps=9, loss=1.0, learning_rate=1e-3, epoch=0.1, rate=1, eta_s=8)


def session_of(folder: Path, examples: int = 0) -> Session:
    loaded = load(write_spec(folder))
    workspace = fill(folder / "ws", loaded, examples)
    return Session(loaded=loaded, workspace=workspace, root=folder / "ws", settings=ModelSettings())


def made_bridge(folder: Path) -> Bridge:
    return Bridge(session_of(folder), lambda _: None)


def say(folder: Path) -> None:
    """One more step of a training job that nobody runs."""
    job = folder / "ws" / "harbour" / "jobs" / "job-x"
    if not job.exists():
        job.mkdir(parents=True)
        request = JobRequest(id="job-x", stage="train", entry="x:y", params={}, created=WHEN)
        (job / "job.json").write_text(request.model_dump_json())
    event = Event(at=datetime.now(UTC), kind=STEP.kind, data=STEP.model_dump(mode="json"))
    with (job / "events.jsonl").open("a") as file:
        file.write(f"{event.model_dump_json()}\n")


def names(messages: list[Message]) -> list[str]:
    return [type(message).__name__ for message in messages]


def test_nothing_new_posts_nothing(tmp_path: Path) -> None:
    bridge = made_bridge(tmp_path)
    assert names(bridge.look()) == ["StoreMoved"]
    assert bridge.look() == []


def test_a_job_that_only_goes_on_leaves_the_marks_unread(tmp_path: Path) -> None:
    bridge = made_bridge(tmp_path)
    say(tmp_path)
    assert names(bridge.look()) == ["JobMoved", "StoreMoved"]
    say(tmp_path)
    assert names(bridge.look()) == ["JobMoved"]


def test_what_cannot_be_read_is_posted_once_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(session: Session, alive: list[str]) -> Status:
        raise UserError("not JSON")

    bridge = made_bridge(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("studio.build.status.status_of", damaged)
        assert names(bridge.look()) == ["LookFailed"]
        assert bridge.look() == []
        say(tmp_path)
        assert names(bridge.look()) == ["JobMoved"], "the rest goes on"
    assert names(bridge.look()) == ["StoreMoved"]


def of_outcomes(session: Session) -> tuple[str, str, str]:
    marks = status_of(session).marks
    return marks["train"], marks["evaluate"], marks["package"]


def test_the_first_stage_that_is_missing_wants_somebody(tmp_path: Path) -> None:
    marks = status_of(session_of(tmp_path)).marks
    assert (marks["spec"], marks["generate"], marks["train"]) == ("done", "needs", "none")
    assert status_of(session_of(tmp_path, 20)).marks["train"] == "needs"


def test_gates_that_are_not_passed_show(tmp_path: Path) -> None:
    session = session_of(tmp_path, 20)
    keep_evaluation(session.workspace, session.loaded.spec, keep_run(session.workspace))
    assert of_outcomes(session) == ("done", "failed", "none")


def test_what_an_older_run_has_does_not_count_for_a_newer_one(tmp_path: Path) -> None:
    session = session_of(tmp_path, 20)
    evaluation = keep_evaluation(session.workspace, session.loaded.spec, keep_run(session.workspace, "run-a"))
    keep_package(session.workspace, evaluation, "pack-a")
    assert of_outcomes(session) == ("done", "failed", "done")
    newer = keep_run(session.workspace, "run-b")
    plan = newer.plan.model_copy(update={"created": NOON + timedelta(hours=1)})
    write_run(session.workspace.runs_dir / "run-b", newer.model_copy(update={"plan": plan}))
    assert of_outcomes(session) == ("done", "needs", "none")


async def test_a_look_that_is_replaced_before_it_began_leaves_nothing_behind(tmp_path: Path) -> None:
    app = opened(tmp_path)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.session is not None and app.memory is not None)
            for _ in range(3):
                app._opened(app.session, app.memory)  # type: ignore[arg-type]
            await pilot.pause()
        gc.collect()
    assert not [one for one in told if "never awaited" in str(one.message)]
