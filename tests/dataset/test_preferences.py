"""Preferences: every decision and vote becomes the signal that it is, once, with its origin."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from studio.chatml import Messages, assistant, user
from studio.dataset.preferences import MINIMUM, Preferences, Signal, preferences
from studio.store import ChatVote, PairVote, Workspace
from studio.triage import Triage
from tests.dataset.making import fill, loaded
from tests.store.making import NOW, example, judgement

ASKED = user("Add milk to my list")


def vote(name: str, choice: Literal["base", "tuned", "tie", "bad"], base: str, tuned: str, **more: Any) -> ChatVote:
    before: Messages = more.get("before", ())
    return ChatVote(
        id=name,
        run_id="run-a",
        base_messages=(*before, ASKED, assistant(base)),
        tuned_messages=(*more.get("tuned_before", before), more.get("asked", ASKED), assistant(tuned)),
        choice=choice,
        at=NOW,
    )


def keep(workspace: Workspace, *votes: ChatVote) -> None:
    for one in votes:
        workspace.documents.put("votes", one.id, one)


def of(workspace: Workspace, kind: str = "pair", **more: Any) -> list[Signal]:
    return [one for one in preferences(workspace, loaded(**more)).signals if one.kind == kind]


def replies(signals: list[Signal]) -> list[tuple[str, str]]:
    return sorted((one.chosen, one.rejected) for one in signals)


def test_what_is_accepted_is_trained_on_and_what_is_rejected_is_undesirable(workspace: Workspace) -> None:
    workspace.examples.add_example(example("good", said="One?", reply="Good."), judgement())
    workspace.examples.add_example(example("bad", said="Two?", reply="Bad."), judgement())
    workspace.examples.add_example(example("judged", said="Three?", reply="Low."), judgement("failed", "score"))
    workspace.examples.add_example(example("open", said="Four?", reply="Open."))
    Triage(workspace).reject("bad", "tone")
    found = preferences(workspace, loaded())
    assert found.counts == {"accepted": 1, "rejected: undesirable": 2}
    said = {one.origins[0]: (one.by, one.chosen, one.rejected) for one in found.signals}
    assert said == {"good": ("judge", "Good.", ""), "bad": ("person", "", "Bad."), "judged": ("judge", "", "Low.")}
    people = preferences(workspace, loaded(), people_only=True)
    assert [one.origins for one in people.signals] == [("bad",)]
    assert preferences(workspace, loaded(spec_hash="spec-2")).signals == ()


@pytest.mark.parametrize("reason", ["duplicate", "user"])
def test_a_reply_that_is_not_at_fault_is_not_undesirable(workspace: Workspace, reason: str) -> None:
    workspace.examples.add_example(example("one"), judgement())
    Triage(workspace).reject("one", reason)
    found = preferences(workspace, loaded())
    assert found.signals == () and found.left_out == {"rejected for no fault of the reply": 1}


def test_an_edit_is_a_pair_from_the_first_message_that_it_changed(workspace: Workspace) -> None:
    store, triage = workspace.examples, Triage(workspace)
    talk = (user("Hi"), assistant("Hello."), user("Help"), assistant("Sure."))
    for name in ("last", "first", "users", "space", "longer"):
        made = example(name).model_copy(update={"messages": (user(f"{name}?"), *talk[1:])})
        store.add_example(made, judgement())
    triage.edit("last", (user("last?"), *talk[1:3], assistant("Great choice!")))
    triage.edit("first", (user("first?"), assistant("Nice work!"), user("More"), assistant("Done.")))
    triage.edit("users", (user("Other?"), *talk[1:3], assistant("Other.")))
    triage.edit("space", (user("space?"), *talk[1:3], assistant("Sure. ")))
    triage.edit("longer", (user("longer?"), *talk[1:], user("And?"), assistant("More.")))
    found = preferences(workspace, loaded())
    assert {one.origins: (len(one.prompt), one.chosen, one.rejected) for one in found.pairs} == {
        ("last",): (3, "Great choice!", "Sure."),
        ("first",): (1, "Nice work!", "Hello."),
    }
    assert {one.source for one in found.pairs} == {"edited"} and found.counts["accepted"] == 5
    assert found.left_out == {
        "edited by adding or removing turns": 1,
        "edited the user's words": 1,
        "edited white space alone": 1,
    }
    triage.undo()
    triage.reset("last")
    assert len(of(workspace)) == 1, "what was taken back is no signal"


def test_two_replies_to_one_request_are_a_pair(workspace: Workspace) -> None:
    for name, verdict in (("a", "passed"), ("b", "failed"), ("c", "failed"), ("d", "passed")):
        workspace.examples.add_example(example(name, reply=f"Reply {name}."), judgement(verdict))  # type: ignore[arg-type]
    workspace.examples.add_example(example("e", said="Else?", reply="Reply e."), judgement("failed"))
    pairs = of(workspace)
    assert replies(pairs) == [("Reply a.", "Reply b."), ("Reply d.", "Reply c.")]
    assert {one.by for one in pairs} == {"judge"} and pairs[0].origins == ("a", "b")
    Triage(workspace).accept_all(["a", "d"])
    Triage(workspace).reject("b", "tone")
    assert {one.origins: one.by for one in of(workspace)} == {("a", "b"): "person", ("d", "c"): "judge"}


def test_a_vote_is_a_pair_where_both_were_told_the_same(workspace: Workspace) -> None:
    keep(workspace, vote("v1", "tuned", "Plain.", "Great choice!"), vote("v2", "base", "Better.", "Worse."))
    pairs = of(workspace)
    assert replies(pairs) == [("Better.", "Worse."), ("Great choice!", "Plain.")]
    assert {one.origins for one in pairs} == {("v1",), ("v2",)} and {one.by for one in pairs} == {"person"}


def test_a_vote_after_different_turns_is_a_good_and_a_bad_reply(workspace: Workspace) -> None:
    before = {"before": (user("Hi"), assistant("Hello.")), "tuned_before": (user("Hi"), assistant("Hey!"))}
    keep(workspace, vote("v1", "tuned", "Plain.", "Great choice!", **before))
    assert preferences(workspace, loaded()).counts == {"vote: desirable": 1, "vote: undesirable": 1}
    (good,) = of(workspace, "desirable")
    assert good.chosen == "Great choice!" and good.prompt[1].content == "Hey!"


def test_both_bad_are_two_undesirable_replies_and_a_tie_teaches_nothing(workspace: Workspace) -> None:
    keep(workspace, vote("v1", "bad", "Plain.", "Odd."), vote("v2", "tie", "One.", "Two."))
    keep(workspace, vote("v3", "tuned", "Same.", "Same."))
    found = preferences(workspace, loaded())
    assert found.counts == {"vote: undesirable": 2} and found.left_out == {"vote: tie": 2}
    assert sorted(one.rejected for one in found.signals) == ["Odd.", "Plain."]


def test_nothing_held_out_and_no_vote_on_a_probe_is_learned_from(workspace: Workspace) -> None:
    probe = user("Please empty my list")
    keep(workspace, vote("v1", "tuned", "Plain.", "Great!", asked=probe), vote("v2", "bad", "A\x1b[2J.", "B."))
    workspace.examples.add_example(example("leak", said="Empty my list!", reply="No."), judgement("failed"))
    workspace.labels.vote(PairVote(run_id="run-a", probe_id="p", digest="d", winner="tuned", at=NOW))
    found = preferences(workspace, loaded("Empty [my list]."))
    assert found.signals == () and found.left_out == {"says a held-out message": 2, "unusable text": 1}


def test_each_signal_is_there_once_and_contradictions_are_left_out(workspace: Workspace) -> None:
    keep(workspace, vote("v1", "tuned", "Plain.", "Great!"), vote("v2", "tuned", "Plain.", "Great!"))
    keep(workspace, vote("v3", "tuned", "Left.", "Right."), vote("v4", "base", "Left.", "Right."))
    found = preferences(workspace, loaded())
    assert len(found.pairs) == 1 and found.left_out == {"contradicted": 2, "said twice": 1}
    assert preferences(workspace, loaded()) == found


def test_a_reply_that_is_called_good_and_bad_has_no_label(workspace: Workspace) -> None:
    workspace.examples.add_example(example("a", reply="Disputed."), judgement())
    workspace.examples.add_example(example("b", reply="Fine."), judgement())
    keep(workspace, vote("v1", "tuned", "Disputed.", "Better."))
    labelled = {one.completion: one.label for one in preferences(workspace, loaded()).labelled}
    assert labelled == {"Fine.": True, "Better.": True}


def test_it_tells_how_many_are_missing(workspace: Workspace) -> None:
    fill(workspace, 60)
    keep(workspace, *(vote(f"v{number}", "tuned", f"Plain {number}.", f"Great {number}.") for number in range(20)))
    found = preferences(workspace, loaded())
    assert (found.missing_for_dpo, found.missing_for_kto) == (30, {"desirable": 0, "undesirable": 30})
    assert Preferences(signals=(), left_out={}).missing_for_dpo == MINIMUM
