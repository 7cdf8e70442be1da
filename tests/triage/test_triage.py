"""Decisions: each is durable, can be taken back, and shows in the lists."""

from __future__ import annotations

import pytest

from studio.chatml import Messages, assistant, system, user
from studio.errors import UserError
from studio.store import Filter, Status, Workspace
from studio.triage import REASONS, Triage
from tests.store.making import example, judgement

EDITED = (user("Add milk to my list"), assistant("Nice work!"))


@pytest.fixture
def triage(workspace: Workspace) -> Triage:
    workspace.examples.add_example(example("good"), judgement("passed"))
    workspace.examples.add_example(example("bad"), judgement("failed", "score"))
    return Triage(workspace)


def status(workspace: Workspace, name: str) -> Status:
    row = workspace.examples.row(name)
    assert row is not None
    return row.status


def test_a_person_overrules_the_judge_both_ways(workspace: Workspace, triage: Triage) -> None:
    triage.accept("bad")
    triage.reject("good", "tone")
    assert (status(workspace, "bad"), status(workspace, "good")) == ("accepted", "rejected")
    assert [row.example.id for row in workspace.examples.rows(Filter(reason="tone"))] == ["good"]


def test_every_reason_has_one_key_and_others_are_refused(triage: Triage) -> None:
    assert all(len(key) == 1 for key in REASONS)
    assert len({slug for slug, _ in REASONS.values()}) == len(REASONS)
    for slug, _ in REASONS.values():
        assert triage.reject("good", slug).reason == slug
    with pytest.raises(UserError, match="no such reason: mood"):
        triage.reject("good", "mood")


def test_undo_and_redo_walk_through_all_decisions_in_order(workspace: Workspace, triage: Triage) -> None:
    triage.accept("bad")
    triage.reject("good", "tone")
    triage.edit("bad", EDITED)
    undone = [triage.undo(), triage.undo(), triage.undo(), triage.undo()]
    assert [[(one.example_id, one.action) for one in step] for step in undone] == [
        [("bad", "edit")],
        [("good", "reject")],
        [("bad", "accept")],
        [],
    ]
    assert (status(workspace, "bad"), status(workspace, "good")) == ("rejected", "accepted")
    redone = [triage.redo(), triage.redo(), triage.redo(), triage.redo()]
    assert [[one.action for one in step] for step in redone] == [["accept"], ["reject"], ["edit"], []]
    row = workspace.examples.row("bad")
    assert row is not None and row.messages == EDITED


def test_a_new_decision_ends_redoing_and_undo_goes_on_before_it(workspace: Workspace, triage: Triage) -> None:
    triage.accept("bad")
    triage.reject("good", "tone")
    triage.undo()
    triage.reject("bad", "wrong")
    assert triage.redo() == []
    assert [one.action for one in (*triage.undo(), *triage.undo())] == ["reject", "accept"]
    assert triage.undo() == []
    assert status(workspace, "bad") == "rejected"


def test_undo_reaches_back_before_a_restart(workspace: Workspace, triage: Triage) -> None:
    triage.accept("bad")
    triage.reject("good", "tone")
    triage.undo()
    workspace.close()
    again = Workspace(workspace.folder)
    undone = Triage(again).undo()
    assert [one.example_id for one in undone] == ["bad"]
    redone = [*Triage(again).redo(), *Triage(again).redo()]
    assert [one.example_id for one in redone] == ["bad", "good"]
    again.close()


def test_what_was_decided_in_one_step_is_taken_back_and_put_back_in_one(workspace: Workspace, triage: Triage) -> None:
    triage.accept("bad")
    for _ in range(2):  # two steps of the same kind are not one
        triage.reject_all(["bad", "good"], "tone")
    assert [one.example_id for one in triage.undo()] == ["good", "bad"]
    assert (status(workspace, "bad"), status(workspace, "good")) == ("rejected", "rejected")
    triage.undo()
    assert (status(workspace, "bad"), status(workspace, "good")) == ("accepted", "accepted")
    assert [one.example_id for one in triage.redo()] == ["bad", "good"]
    assert [one.example_id for one in triage.redo()] == ["bad", "good"]
    assert triage.redo() == []


def test_undoing_a_decision_uncovers_the_one_before(workspace: Workspace, triage: Triage) -> None:
    triage.edit("bad", EDITED)
    triage.reject("bad", "length")
    triage.undo()
    row = workspace.examples.row("bad")
    assert row is not None
    assert (row.status, row.messages) == ("accepted", EDITED)
    triage.undo()
    row = workspace.examples.row("bad")
    assert row is not None
    assert (row.status, row.messages, row.decision) == ("rejected", example("bad").messages, None)


def test_an_edit_that_changes_nothing_is_an_acceptance(workspace: Workspace, triage: Triage) -> None:
    assert triage.edit("bad", example("bad").messages).action == "accept"
    assert status(workspace, "bad") == "accepted"


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (user("Hello"),),
        (assistant("Hello"),),
        (user("Hello"), assistant("  \n")),
        (user(""), assistant("Hello")),
        (user("Hello"), assistant("Hello"), user("More")),
        (user("Hello"), user("Hello"), assistant("Hello")),
        (system("Be kind."),),
        (user("Hello"), system("Be kind."), assistant("Hello")),
    ],
)
def test_an_edit_that_nothing_can_be_learnt_from_is_refused(
    workspace: Workspace, triage: Triage, messages: Messages
) -> None:
    with pytest.raises(UserError):
        triage.edit("good", messages)
    row = workspace.examples.row("good")
    assert row is not None and row.decision is None


def test_an_edit_may_have_a_system_message_and_several_turns(workspace: Workspace, triage: Triage) -> None:
    messages = (system("Be kind."), user("Hi"), assistant("Hello!"), user("Milk?"), assistant("Nice!"))
    triage.edit("good", messages)
    row = workspace.examples.row("good")
    assert row is not None and row.messages == messages


def test_deciding_on_what_is_not_there_is_an_error_and_changes_nothing(triage: Triage) -> None:
    for act in (triage.accept, triage.reset, lambda name: triage.reject(name, "tone")):
        with pytest.raises(UserError, match="no example nobody"):
            act("nobody")
    with pytest.raises(UserError, match="no example nobody"):
        triage.edit("nobody", EDITED)
    assert triage.undo() == []
