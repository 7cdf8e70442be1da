"""What is said behind the stages' names: of the newest run, not of any."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from studio.build import Session
from studio.llm import ModelSettings
from studio.spec import load
from studio.train.run import write_run
from studio.tui.live.bridge import marks_of
from tests.tui.making import fill, write_spec
from tests.tui.outcomes import NOON, keep_evaluation, keep_package, keep_run


def session_of(folder: Path, examples: int = 0) -> Session:
    loaded = load(write_spec(folder))
    workspace = fill(folder / "ws", loaded, examples)
    return Session(loaded=loaded, workspace=workspace, root=folder / "ws", settings=ModelSettings())


def of_outcomes(session: Session) -> tuple[str, str, str]:
    marks = marks_of(session)
    return marks["train"], marks["evaluate"], marks["package"]


def test_the_first_stage_that_is_missing_wants_somebody(tmp_path: Path) -> None:
    marks = marks_of(session_of(tmp_path))
    assert (marks["spec"], marks["generate"], marks["train"]) == ("done", "needs", "none")
    assert marks_of(session_of(tmp_path, 20))["train"] == "needs"


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
