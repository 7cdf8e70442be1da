"""Sorted lists and filters that combine: what each lets through, and that rows keep their place while one decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from studio.chatml import assistant, digest, user
from studio.store import Decision, ExampleStore, Filter, Judgement, TraitScore, Violation
from studio.store.lists import Sort
from tests.store.making import NOW, decision, example, judgement

MARKS = {"calm": 0, "exact": 2}


def judged(total: float | None, *, rule: str = "", calm: int = 0) -> Judgement:
    traits = {"calm": TraitScore(score=calm), "exact": TraitScore(score=2)} if total is not None else {}
    violations = (Violation(kind=rule, name="a"),) if rule else ()
    verdict = "unscored" if total is None else "passed" if total >= 7 and not rule else "failed"
    return Judgement(
        judge="j", spec_hash="spec-1", verdict=verdict, total=total, traits=traits, violations=violations, at=NOW
    )


@pytest.fixture
def filled(store: ExampleStore) -> ExampleStore:
    """near: just above 7; rule: high and violates a rule; low: low and violates none; none: unscored."""
    store.add_example(example("high"), judged(9.5, calm=2))
    store.add_example(example("near", scenario="Rename a task"), judged(7.2))
    store.add_example(example("rule", person="bob", reply="One two three."), judged(9.0, rule="banned"))
    store.add_example(example("low", scenario="Rename a task"), judged(1.0))
    store.add_example(example("none").model_copy(update={"origin": "chat", "job_id": "job-2"}), judged(None))
    return store


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("arrival", "high near rule low none"),
        ("newest", "none low rule near high"),
        ("unsure", "near rule high low none"),
        ("against", "rule low near high none"),
        ("gap", "high near rule low none"),
    ],
)
def test_each_order(filled: ExampleStore, sort: Sort, expected: str) -> None:
    wanted = Filter(sort=sort)
    names = expected.split()
    assert [row.example.id for row in filled.rows(wanted)] == filled.list_ids(wanted) == names
    assert [filled.index_of(name, wanted) for name in names] == [0, 1, 2, 3, 4]
    assert [row.example.id for row in filled.rows(wanted, 1, 2)] == names[1:3]
    row = filled.row(names[1])
    assert row is not None and (after := filled.next_from(row.seq, wanted)) is not None
    assert after.example.id == names[2]
    before = filled.next_from(row.seq, wanted, -1)
    assert before is not None and before.example.id == names[0]


def test_scenarios_with_few_accepted_examples_come_first_and_stay_while_one_decides(filled: ExampleStore) -> None:
    gap = Filter(sort="gap")
    filled.add_example(example("more"), judged(8.0))
    before = filled.list_ids(gap)
    assert before[:2] == ["near", "low"] and filled.list_ids(Filter(sort="gap", status="accepted"))[0] == "near"
    filled.decide_all([decision("low", "accept"), decision("none", "accept")])
    assert filled.list_ids(gap) == before, "no row moves under the cursor"
    filled.add_example(example("newest", scenario="A new one"), judged(8.0))
    assert set(filled.list_ids(gap)) == {*before, "newest"}


def test_a_decided_row_leaves_a_sorted_list_that_it_no_longer_passes(filled: ExampleStore) -> None:
    wanted = Filter(sort="unsure", decided=False)
    assert filled.list_ids(wanted) == ["near", "rule", "high", "low", "none"]
    filled.decide(decision("rule", "accept"))
    assert filled.list_ids(wanted) == ["near", "high", "low", "none"] and filled.index_of("rule", wanted) is None
    filled.undo()
    assert filled.list_ids(wanted) == ["near", "rule", "high", "low", "none"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(marks=(("calm", 2, 2),)), "high"),
        (Filter(marks=(("calm", 0, 1), ("exact", 2, 2))), "near rule low"),
        (Filter(unscored=True), "none"),
        (Filter(unscored=False, scenario="Rename a task"), "near low"),
        (Filter(origin="chat", job_id="job-2"), "none"),
        (Filter(judge="j", person_id="bob"), "rule"),
        (Filter(max_words=3), "rule"),
        (Filter(min_words=4, status="accepted"), "high near"),
        (Filter(edited=True), ""),
        (Filter(marks=(('a"b', 0, 2),)), ""),
    ],
)
def test_filters_combine_and_count_and_follow_alike(filled: ExampleStore, wanted: Filter, expected: str) -> None:
    assert filled.list_ids(wanted) == expected.split() and filled.count(wanted) == len(expected.split())
    fresh = example("fresh").model_copy(update={"origin": "chat", "job_id": "job-2"})
    filled.add_example(fresh, judged(None))  # the list follows, row by row
    followed = filled.list_ids(wanted)
    assert followed == filled.list_ids(wanted.model_copy(update={"pivot": 1.0})), "as a list that is built anew"


def test_an_edit_is_found_and_its_old_marks_are_not_those_of_the_new_text(filled: ExampleStore) -> None:
    filled.decide(decision("high", "edit", reply="Another reply altogether, of seven words."))
    assert filled.list_ids(Filter(edited=True)) == filled.list_ids(Filter(edited=True, unscored=True)) == ["high"]
    assert filled.list_ids(Filter(marks=(("calm", 2, 2),))) == []
    messages = (user("Add milk to my list"), assistant("Another reply altogether, of seven words."))
    again = judged(5.0, calm=1).model_copy(update={"digest": digest(messages), "at": NOW + timedelta(hours=1)})
    filled.add_judgement("high", again)
    assert filled.list_ids(Filter(edited=True, marks=(("calm", 1, 1),))) == ["high"]
    filled.undo()
    assert filled.list_ids(Filter(edited=True)) == [] and filled.list_ids(Filter(marks=(("calm", 2, 2),))) == ["high"]


def test_facets_count_what_passes(filled: ExampleStore) -> None:
    found = filled.facets(traits=("calm", "exact"))
    assert found["status"] == {"accepted": 2, "rejected": 2, "pending": 1}
    assert found["scenario"] == {"Create a task": 3, "Rename a task": 2} and found["origin"]["chat"] == 1
    assert found["mark calm"] == {"0": 3, "2": 1} and found["unscored"] == {"yes": 1} and found["words"] == {"0": 5}
    assert filled.facets(Filter(scenario="Rename a task"))["status"] == {"accepted": 1, "rejected": 1}


def test_a_bulk_of_decisions_is_one_step(store: ExampleStore) -> None:
    for number in range(1200):
        store.add_example(example(f"e{number}"), judgement())
    ids = store.list_ids(Filter(status="accepted"))
    store.decide_all([Decision(example_id=name, action="reject", reason="tone", batch="b", at=NOW) for name in ids])
    assert store.count(Filter(status="rejected", decided=True)) == 1200
    assert len(store.undo()) == 1200 and store.count(Filter(decided=True)) == 0
