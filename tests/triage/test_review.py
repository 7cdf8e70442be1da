"""The sample review: drawn by category from what is accepted, kept answer by answer, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pytest

from studio.chatml import assistant
from studio.errors import UserError
from studio.spec import LoadedSpec
from studio.store import Filter, Workspace
from studio.triage import SampleReview, Triage, review_progress
from tests.generate.making import loaded_spec
from tests.store.making import example, judgement


@pytest.fixture
def loaded() -> LoadedSpec:
    return loaded_spec()


def add(workspace: Workspace, loaded: LoadedSpec, first: int, last: int) -> None:
    """Three in four of one category, the rest of another; every fifth fails its judge."""
    for number in range(first, last):
        made = example(f"e{number}", category="rare" if number % 4 == 0 else "common", spec_hash=loaded.hash)
        verdict = judgement("failed" if number % 5 == 4 else "passed", spec_hash=loaded.hash)
        workspace.examples.add_example(made, verdict)


def review_all(review: SampleReview, failed: Collection[int] = ()) -> None:
    number = 0
    while (row := review.next_item()) is not None:
        review.answer(row, ["generic"] if number in failed else [])
        number += 1


def test_the_sample_is_of_what_is_accepted_in_proportion_to_the_categories(
    workspace: Workspace, loaded: LoadedSpec
) -> None:
    add(workspace, loaded, 0, 500)
    rows = [row for row, _ in SampleReview(workspace, loaded).rows()]
    assert len(rows) == 40 and {row.status for row in rows} == {"accepted"}
    assert Counter(row.example.category for row in rows) == {"common": 30, "rare": 10}
    first_half = Counter(row.example.category for row in rows[:20])
    assert first_half == {"common": 15, "rare": 5}, "every beginning of it is balanced"


def test_a_review_goes_on_after_a_restart_and_draws_nothing_else(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 100)
    assert review_progress(workspace) == (0, 0)
    review = SampleReview(workspace, loaded)
    for _ in range(3):
        row = review.next_item()
        assert row is not None
        review.answer(row)
    waiting = review.next_item()
    add(workspace, loaded, 100, 300)
    again = SampleReview(Workspace(workspace.folder), loaded)
    assert again.sample == review.sample and again.done == 3 and again.next_item() == waiting
    assert again.status().changed == 160 and review_progress(workspace) == (3, 20)
    anew = SampleReview(workspace, loaded, anew=True)
    assert anew.sample.size == 240 and anew.sample.number == 1 and anew.status().changed == 0


def test_what_failed_is_flagged_and_undo_takes_the_newest_back(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 100)
    review, flagged = SampleReview(workspace, loaded), Filter(flagged=True)
    first, second = review.next_item(), None
    assert first is not None
    assert workspace.examples.list_ids(flagged) == []
    review.answer(first, ["violation", "generic"])
    second = review.next_item()
    assert second is not None and second != first
    review.answer(second)
    assert workspace.examples.list_ids(flagged) == [first.example.id]
    assert review.status().failed == {"generic": 1, "violation": 1}
    assert review.undo() == second and review.next_item() == second
    assert review.undo() == first and review.undo() is None
    assert workspace.examples.list_ids(flagged) == [] and review.done == 0


def test_an_edit_takes_the_flag_away_and_a_new_sample_asks_of_the_new_text(
    workspace: Workspace, loaded: LoadedSpec
) -> None:
    add(workspace, loaded, 0, 20)
    review = SampleReview(workspace, loaded)
    row = review.next_item()
    assert row is not None
    review.answer(row, ["generic"])
    Triage(workspace).edit(row.example.id, (row.messages[0], assistant("Another reply.")))
    assert workspace.examples.count(Filter(flagged=True)) == 0
    assert SampleReview(workspace, loaded).done == 1, "it was wrong when it was drawn"
    assert SampleReview(workspace, loaded, anew=True).done == 0


def test_what_is_skipped_comes_last(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 25)
    review = SampleReview(workspace, loaded)
    first = review.next_item()
    assert first is not None
    review.skip(first)
    order = []
    while (row := review.next_item()) is not None:
        order.append(row.example.id)
        review.answer(row)
    assert order[-1] == first.example.id and len(order) == 20


def test_it_ends_with_a_rate_and_a_verdict_and_says_how_many_more(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 500)
    review = SampleReview(workspace, loaded)
    assert review.status().text == "0 of 40 reviewed"
    review_all(review, {5})
    status = review.status()
    assert status.rate is not None and status.rate.share == pytest.approx(0.025)
    assert status.rate.verdict == "undecided" and f"look at {status.rate.more} more" in status.text
    review.look_at_more(status.rate.more)
    assert review.wanted == 40 + status.rate.more and review.done == 40
    review_all(review)
    done = review.status()
    assert done.rate is not None and done.rate.verdict == "good" and "good enough" in done.text


def test_failures_that_were_rejected_since_still_count(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 200)
    review = SampleReview(workspace, loaded)
    review_all(review, {0, 1, 2, 3, 4, 5})
    before = review.status()
    assert before.rate is not None and before.rate.verdict == "bad"
    Triage(workspace).reject_all(workspace.examples.list_ids(Filter(flagged=True)), "generic")
    after = SampleReview(workspace, loaded).status()
    assert after.rate == before.rate, "removing what was found says nothing of what was not looked at"
    assert after.changed == 0


def test_what_passed_and_was_edited_since_is_looked_at_again(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 30)
    review = SampleReview(workspace, loaded)
    row = review.next_item()
    assert row is not None
    review.answer(row)
    Triage(workspace).edit(row.example.id, (row.messages[0], assistant("Another reply.")))
    again = SampleReview(workspace, loaded)
    assert again.done == 0 and (item := again.next_item()) is not None
    assert item.messages[-1].content == "Another reply."


def test_reviews_tell_how_far_the_judges_passes_can_be_trusted(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 200)
    review = SampleReview(workspace, loaded)
    review_all(review, {0, 1, 2, 3})
    found = review.status().agreement
    assert found is not None and (found.n, found.share) == (20, 0.8)
    assert found.confusion == ((0, 4), (0, 16)), "by the person's verdict and the judge's"


def test_an_unknown_check_and_a_stranger_are_refused(workspace: Workspace, loaded: LoadedSpec) -> None:
    add(workspace, loaded, 0, 100)
    review = SampleReview(workspace, loaded)
    row = review.next_item()
    assert row is not None
    with pytest.raises(UserError, match="no such check"):
        review.answer(row, ["tone"])
    outside = next(row for row in workspace.examples.rows() if row.example.id not in review.sample.ids)
    with pytest.raises(UserError, match="not in the sample"):
        review.answer(outside)
    assert review.done == 0


def test_nothing_accepted_is_nothing_to_review(workspace: Workspace, loaded: LoadedSpec) -> None:
    review = SampleReview(workspace, loaded)
    assert review.next_item() is None and "nothing to review" in review.status().text
    assert review_progress(workspace) == (0, 0)
