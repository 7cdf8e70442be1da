"""Examples: stored once, judged and decided any number of times, found by what lists ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.store import CallRecord, ExampleStore, Filter, Person
from tests.store.making import NOON, decision, example, judgement


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    opened = ExampleStore(tmp_path / "examples.db")
    yield opened
    opened.close()


def statuses(store: ExampleStore) -> list[str]:
    return [row.status for row in store.rows()]


def ids(store: ExampleStore, wanted: Filter) -> list[str]:
    return [row.example.id for row in store.rows(wanted)]


def test_the_judge_decides_where_nobody_else_did(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("passed"))
    store.add_example(example("b"), judgement("failed", "score"))
    store.add_example(example("c"), judgement("error"))
    store.add_example(example("d"), None)
    assert statuses(store) == ["accepted", "rejected", "pending", "pending"]


def test_a_person_overrules_the_judge_also_one_who_comes_later(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("failed", "score"))
    store.decide(decision("a", "accept"))
    store.add_judgement("a", judgement("failed", "score", "trait:kind"))
    assert statuses(store) == ["accepted"]
    assert len(store.judgements("a")) == 2


def test_an_edit_shows_the_edited_words_and_keeps_the_original(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("failed", "score"))
    store.decide(decision("a", "edit", edited="Nice work!"))
    row = store.row("a")
    assert row is not None
    assert (row.status, row.messages[-1].content) == ("accepted", "Nice work!")
    assert row.example.messages[-1].content == "Great choice! I added 'buy milk'."


def test_an_accept_after_an_edit_keeps_the_edit_and_a_reset_takes_all_back(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("failed", "score"))
    store.decide(decision("a", "edit", edited="Nice work!"))
    store.decide(decision("a", "accept"))
    assert store.rows()[0].messages[-1].content == "Nice work!"
    store.decide(decision("a", "reset"))
    row = store.rows()[0]
    assert (row.status, row.decision, row.messages) == ("rejected", None, row.example.messages)


def test_undo_and_redo_go_back_and_forth_over_several_examples(store: ExampleStore) -> None:
    for name in "ab":
        store.add_example(example(name), judgement("passed"))
        store.decide(decision(name, "reject", "tone"))
    assert [taken.example_id for taken in (store.undo(), store.undo()) if taken] == ["b", "a"]
    assert store.undo() is None
    assert statuses(store) == ["accepted", "accepted"]
    assert [put.example_id for put in (store.redo(), store.redo()) if put] == ["a", "b"]
    assert store.redo() is None
    assert statuses(store) == ["rejected", "rejected"]


def test_a_new_decision_ends_what_could_be_redone(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("passed"))
    store.decide(decision("a", "reject"))
    store.undo()
    store.decide(decision("a", "accept"))
    assert store.redo() is None
    assert [each.action for each in store.decisions("a")] == ["accept"]


def test_undo_and_redo_survive_a_restart(tmp_path: Path) -> None:
    first = ExampleStore(tmp_path / "examples.db")
    first.add_example(example("a"), judgement("passed"))
    first.decide(decision("a", "reject"))
    first.close()
    second = ExampleStore(tmp_path / "examples.db")
    assert second.undo() is not None
    second.close()
    third = ExampleStore(tmp_path / "examples.db")
    assert statuses(third) == ["accepted"]
    assert third.redo() is not None
    assert statuses(third) == ["rejected"]


def test_a_decision_on_what_is_not_there_is_refused_and_leaves_nothing(store: ExampleStore) -> None:
    with pytest.raises(UserError, match="no example x"):
        store.decide(decision("x"))
    assert store.undo() is None


def test_lists_are_filtered_by_everything_at_once(store: ExampleStore) -> None:
    store.add_example(example("a", category="x", scenario="s1"), judgement("passed"))
    store.add_example(example("b", category="x", scenario="s2", person="p2"), judgement("failed", "score", "length"))
    store.add_example(example("c", category="y", spec_hash="h2"), judgement("failed", "score", spec_hash="h2"))
    assert ids(store, Filter(category="x")) == ["a", "b"]
    assert ids(store, Filter(category="x", status="rejected")) == ["b"]
    assert ids(store, Filter(reason="score")) == ["b", "c"]
    assert ids(store, Filter(person_id="p2")) == ["b"]
    assert ids(store, Filter(ids=("c", "a"))) == ["a", "c"]
    assert ids(store, Filter(spec_hash="h2")) == ["c"]
    assert ids(store, Filter(scenario="s1", status="rejected")) == []


@pytest.mark.parametrize("text", ["milk", "MILK", "Ilk", "'buy milk'", 'say "x" AND (y)*', "茶を", "il"])
def test_text_is_found_anywhere_in_any_script_and_means_itself(store: ExampleStore, text: str) -> None:
    store.add_example(example("a", asked=f"before {text} behind"), judgement("passed"))
    store.add_example(example("b", asked="nothing", reply="else"), judgement("passed"))
    assert ids(store, Filter(text=text)) == ["a"]


def test_text_is_found_in_the_edited_words_and_no_longer_in_the_old(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("passed"))
    store.decide(decision("a", "edit", edited="Wonderful!"))
    assert ids(store, Filter(text="wonderful")) == ["a"]
    assert ids(store, Filter(text="great choice")) == []
    store.undo()
    assert ids(store, Filter(text="great choice")) == ["a"]


def test_a_place_in_a_filtered_list_and_the_row_there_agree(store: ExampleStore) -> None:
    for number in range(20):
        store.add_example(example(f"e{number}"), judgement("failed" if number % 3 else "passed"))
    rejected = Filter(status="rejected")
    for index in range(store.count(rejected)):
        row = store.row_at(index, rejected)
        assert row is not None
        assert store.index_of(row.example.id, rejected) == index
    assert store.row_at(999, rejected) is None
    assert store.index_of("e0", rejected) is None


def test_counts_follow_decisions_and_can_be_had_for_one_version_of_the_spec(store: ExampleStore) -> None:
    store.add_example(example("a", category="x", scenario="s1"), judgement("passed"))
    store.add_example(example("b", category="x", scenario="s2"), judgement("failed"))
    store.add_example(example("c", category="y"), judgement("error", spec_hash="h2"))
    store.decide(decision("b", "accept"))
    counts = {count.category: (count.accepted, count.rejected, count.pending) for count in store.counts()}
    assert counts == {"x": (2, 0, 0), "y": (0, 0, 1)}
    assert [count.category for count in store.counts("h1")] == ["x"]
    assert store.scenario_counts()["x", "s2"].accepted == 1


def test_reasons_are_those_of_the_newest_judgement(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("failed", "score", "length"))
    store.add_example(example("b"), judgement("failed", "score"))
    store.add_judgement("a", judgement("failed", "length"))
    assert store.reasons() == {"length": 1, "score": 1}


def test_people_are_kept_with_the_example_that_they_asked_for(store: ExampleStore) -> None:
    person = Person(id="p1", source="bank", role="nurse")
    store.add_person(person)
    store.add_example(example("a"), judgement("passed"))
    store.add_person(Person(id="p2", source="profiles"))
    assert store.person("p1") == person
    assert [each.id for each in store.people()] == ["p1", "p2"]
    assert [each.id for each in store.people("profiles")] == ["p2"]
    assert store.person("p3") is None


def test_a_call_that_was_paid_for_is_found_again_and_added_up(store: ExampleStore) -> None:
    record = CallRecord(
        key="k",
        purpose="author",
        model="m",
        response="{}",
        prompt_tokens=10,
        completion_tokens=5,
        cost_usd=0.5,
        at=NOON,
    )
    store.add_call(record)
    store.add_call(record)
    store.add_call(record.model_copy(update={"key": "k2", "cost_usd": None}))
    assert store.call("k") == record
    assert store.call("unknown") is None
    assert store.spent() == (2, 20, 10, 0.5)


def test_the_version_changes_with_every_write_of_any_process_and_only_then(tmp_path: Path) -> None:
    here, there = ExampleStore(tmp_path / "examples.db"), ExampleStore(tmp_path / "examples.db")
    seen = here.data_version()
    assert here.data_version() == seen
    there.add_example(example("a"), judgement("passed"))
    changed = here.data_version()
    here.decide(decision("a"))
    assert len({seen, changed, here.data_version()}) == 3


def test_a_file_that_is_no_database_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "examples.db").write_text("this is not a database, but long enough to be looked at " * 20)
    with pytest.raises(UserError, match="not a database") as raised:
        ExampleStore(tmp_path / "examples.db")
    assert raised.value.where == str(tmp_path / "examples.db")
    assert (tmp_path / "examples.db").read_text().startswith("this is not"), "it is left as it was"
