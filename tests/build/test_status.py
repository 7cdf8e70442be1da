"""The one next step: forward only, the same for window and commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.build.status import NextStep, Status, status_of
from studio.evaluate import save
from studio.llm import ModelSettings
from studio.triage import Triage
from tests.tui.outcomes import keep_evaluation, keep_package, keep_run
from tests.tui.test_bridge import session_of


def step(status: Status) -> tuple[str, str]:
    return status.next.stage, status.next.told


def test_from_nothing_to_a_run_each_step_is_named_with_key_and_command(tmp_path: Path) -> None:
    session = session_of(tmp_path)
    first = status_of(session)
    assert step(first) == ("generate", "generate examples") and first.marks["generate"] == "needs"
    assert first.next.line == "Next: generate examples (3 s)"
    assert first.next.command == f"studio generate {session.loaded.path} --workspace {session.root}"


def test_enough_examples_lead_to_training_and_a_rejection_leads_nowhere_back(tmp_path: Path) -> None:
    session = session_of(tmp_path, 20)
    assert step(status_of(session)) == ("train", "train on what was accepted")
    (one, *_) = session.workspace.examples.list_ids()
    Triage(session.workspace).reject(one, "tone")
    after = status_of(session)
    assert step(after)[0] == "train" and after.marks["generate"] == "done"


def test_a_run_is_evaluated_then_its_verdict_opened_then_improved(tmp_path: Path) -> None:
    session = session_of(tmp_path, 20)
    run = keep_run(session.workspace)
    assert step(status_of(session)) == ("evaluate", "evaluate run run-made")
    evaluation = keep_evaluation(session.workspace, session.loaded.spec, run)
    save(session.workspace, evaluation.model_copy(update={"scope": "open"}))
    opened = status_of(session).next
    assert (opened.key, opened.told) == ("6 v", "open the locked probes of run run-made for a verdict")
    assert f"{session.loaded.path} --run run-made --locked --workspace " in opened.command
    save(session.workspace, evaluation)
    assert status_of(session).next.line == "Next: train loss fails: set an author (3 w, then 6 i)"
    asked = replace(session, settings=ModelSettings(endpoint="http://127.0.0.1:9/v1", model="some"))
    improved: NextStep = status_of(asked).next
    assert (improved.key, improved.told) == ("6 i", "improve: train loss fails")
    assert status_of(session, ["evaluate"]).marks["evaluate"] == "running"


def test_undecided_gates_ask_for_labels_and_a_passed_run_for_its_package(tmp_path: Path) -> None:
    session = session_of(tmp_path, 20)
    run = keep_run(session.workspace)
    evaluation = keep_evaluation(session.workspace, session.loaded.spec, run)

    def kept(status: str) -> str:
        gates = tuple(gate.model_copy(update={"status": status}) for gate in evaluation.gates[:2])
        save(session.workspace, evaluation.model_copy(update={"gates": gates, "trial": False}))
        return status_of(session).next.line

    assert kept("UNDECIDED") == "Next: label replies: 2 gates are undecided (6 l)"
    assert kept("PASS") == "Next: package run run-made (8 s)"
    keep_package(session.workspace, evaluation, "made")
    assert kept("PASS") == "Next: packaged; chat with it (7)"
