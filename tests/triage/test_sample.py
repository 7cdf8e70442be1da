"""The sample for review: random, a tenth, and frozen once it is drawn."""

from __future__ import annotations

from studio.store import Workspace
from studio.triage import Triage, sample_ids, sample_progress
from tests.store.making import example, judgement


def add(workspace: Workspace, first: int, last: int) -> None:
    for number in range(first, last):
        verdict = "failed" if number % 3 == 0 else "passed"
        workspace.examples.add_example(example(f"e{number}"), judgement().model_copy(update={"verdict": verdict}))


def test_a_tenth_is_drawn_rounded_up_from_accepted_and_rejected_alike(workspace: Workspace) -> None:
    add(workspace, 0, 95)
    drawn = sample_ids(workspace)
    assert len(drawn) == len(set(drawn)) == 10
    rows = [workspace.examples.row(name) for name in sample_ids(workspace, fraction=0.5)]
    assert {row.status for row in rows if row} == {"accepted", "rejected"}


def test_an_empty_workspace_has_an_empty_sample(workspace: Workspace) -> None:
    assert sample_ids(workspace) == ()
    assert sample_progress(workspace) == (0, 0)


def test_the_sample_stays_when_examples_are_added_decided_or_the_studio_restarts(workspace: Workspace) -> None:
    add(workspace, 0, 100)
    first = sample_ids(workspace)
    Triage(workspace).reject(first[0], "tone")
    assert sample_ids(workspace) == first
    add(workspace, 100, 250)
    grown = sample_ids(Workspace(workspace.folder))
    assert grown[: len(first)] == first
    assert len(grown) == 25
    assert set(grown[len(first) :]) <= {f"e{number}" for number in range(100, 250)}


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_arrival(workspace: Workspace) -> None:
    add(workspace, 0, 100)
    other = Workspace(workspace.folder.parent / "other")
    for number in reversed(range(100)):
        other.examples.add_example(example(f"e{number}"), judgement())
    assert set(sample_ids(other)) == set(sample_ids(workspace))
    assert set(sample_ids(workspace, seed=1)) != set(sample_ids(workspace))
    other.close()


def test_progress_counts_a_persons_decisions_and_draws_nothing(workspace: Workspace) -> None:
    add(workspace, 0, 50)
    assert sample_progress(workspace) == (0, 0)
    first, second, *_ = sample_ids(workspace)
    assert sample_progress(workspace) == (0, 5)
    triage = Triage(workspace)
    triage.accept(first)
    triage.reject(second, "tone")
    assert sample_progress(workspace) == (2, 5)
    triage.undo()
    assert sample_progress(workspace) == (1, 5)
    outside = next(f"e{number}" for number in range(50) if f"e{number}" not in sample_ids(workspace))
    triage.accept(outside)
    assert sample_progress(workspace) == (1, 5)
