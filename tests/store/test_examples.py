"""What is stored comes back as it was, and stands as was said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from studio.chatml import assistant, digest, last_reply, user
from studio.errors import UserError
from studio.store import CategoryCount, Example, ExampleStore, Filter, Judgement, Person
from tests.store.making import decision, example, judgement


def ids(store: ExampleStore, wanted: Filter) -> list[str]:
    return [row.example.id for row in store.rows(wanted)]


def test_an_example_comes_back_with_its_prompt_and_judgement(store: ExampleStore) -> None:
    made, judged = example(), judgement("failed", "score")
    assert store.add_example(made, judged) == 1
    row = store.row("one")
    assert row is not None
    assert (row.seq, row.example, row.judgement, row.decision) == (1, made, judged, None)
    assert (row.status, row.messages) == ("rejected", made.messages)
    assert store.row("two") is None


@pytest.mark.parametrize(("verdict", "status"), [("passed", "accepted"), ("failed", "rejected"), ("error", "pending")])
def test_the_judges_verdict_is_the_status_until_a_person_decides(
    store: ExampleStore, verdict: str, status: str
) -> None:
    store.add_example(example(), judgement().model_copy(update={"verdict": verdict}))
    assert ids(store, Filter(status=status)) == ["one"]
    other = "rejected" if status == "accepted" else "accepted"
    store.decide(decision("one", "reject" if other == "rejected" else "accept", "tone"))
    assert ids(store, Filter(status=other)) == ["one"]
    store.decide(decision("one", "reset"))
    assert ids(store, Filter(status=status)) == ["one"]


def test_an_unjudged_example_is_pending(store: ExampleStore) -> None:
    store.add_example(example(), None)
    assert ids(store, Filter(status="pending")) == ["one"]


def test_a_decision_outlasts_a_later_judgement_and_earlier_judgements_are_kept(store: ExampleStore) -> None:
    store.add_example(example(), judgement("failed", "score"))
    store.decide(decision("one", "accept"))
    store.add_judgement("one", judgement("failed", "trait:kind", spec_hash="spec-2"))
    row = store.row("one")
    assert row is not None and row.judgement is not None
    assert (row.status, row.judgement.reasons) == ("accepted", ("trait:kind",))
    assert [one.reasons for one in store.judgements("one")] == [("score",), ("trait:kind",)]


def test_the_same_example_twice_is_kept_once_and_another_of_its_id_is_refused(store: ExampleStore) -> None:
    assert store.add_example(example(), judgement()) == store.add_example(example(), judgement("failed"))
    assert store.count() == 1
    with pytest.raises(ValueError, match="another conversation"):
        store.add_example(example(reply="Something else."), None)


def test_speaking_of_an_example_that_is_not_there_is_an_error(store: ExampleStore) -> None:
    with pytest.raises(UserError, match="no example nobody"):
        store.decide(decision("nobody", "accept"))
    with pytest.raises(UserError, match="no example nobody"):
        store.add_judgement("nobody", judgement())


def test_text_that_is_no_unicode_is_looked_for_and_kept_like_any_other(store: ExampleStore) -> None:
    """Bytes of a command line that are not UTF-8 arrive as lone surrogates, which SQLite does not take."""
    store.add_example(example("one", reply="Great \udcff choice!"), judgement())
    assert store.row("\udcff") is None
    with pytest.raises(UserError, match="no example"):
        store.decide(decision("\udcff", "accept"))
    for key in ("category", "scenario", "person_id", "spec_hash", "reason", "text"):
        assert store.count(Filter.model_validate({key: "\udcff"})) == 0
    assert store.count(Filter(ids=("\udcff", "one"))) == 1
    store.decide(decision("one", "reject", "no \udcff", reply="Nice \ud83d\ude42"))
    assert store.reasons() == {"no \ufffd": 1}
    row = store.row("one")
    assert row is not None and row.messages[-1].content == "Nice \U0001f642"


def test_an_edit_is_accepted_and_shown_in_place_of_the_original(store: ExampleStore) -> None:
    store.add_example(example(), judgement("failed", "score"))
    store.decide(decision("one", "edit", reply="Nice work!"))
    row = store.row("one")
    assert row is not None
    assert (row.status, row.messages[-1].content) == ("accepted", "Nice work!")
    assert row.example == example()


def test_accepting_or_rejecting_an_edit_speaks_of_the_edited_text_and_a_reset_forgets_it(store: ExampleStore) -> None:
    store.add_example(example(), judgement())
    edited = (user("Add milk to my list"), assistant("Nice work!"))
    store.decide(decision("one", "edit", reply="Nice work!"))
    assert store.decide(decision("one", "reject", "tone")).messages == edited
    assert store.decide(decision("one", "accept")).messages == edited
    store.decide(decision("one", "reset"))
    row = store.row("one")
    assert row is not None and row.messages == example().messages and row.decision is None


def test_an_edited_text_is_not_judged_until_it_is_and_taking_the_edit_back_brings_its_judgement_back(
    store: ExampleStore,
) -> None:
    def standing() -> tuple[bool, float | None]:
        row = store.row("one")
        assert row is not None and row.judgement is not None
        return row.judged, row.judgement.total

    store.add_example(example(), judgement())
    assert standing() == (True, 7.0), "a judgement that names no text is of the example as it was written"
    store.decide(decision("one", "edit", reply="Nice work!"))
    assert standing() == (False, 7.0)
    edited = (user("Add milk to my list"), assistant("Nice work!"))
    store.add_judgement("one", judgement().model_copy(update={"digest": digest(edited), "total": 2.0}))
    assert standing() == (True, 2.0)
    store.undo()
    assert standing() == (True, 7.0)
    store.redo()
    assert standing() == (True, 2.0)


def test_an_example_that_nobody_judged_is_not_judged(store: ExampleStore) -> None:
    store.add_example(example())
    row = store.row("one")
    assert row is not None and not row.judged


def test_what_another_version_of_a_judge_judged_is_found_until_this_one_did(store: ExampleStore) -> None:
    def by(version: str) -> Judgement:
        return judgement().model_copy(update={"judge": "rules", "judge_version": version})

    store.add_example(example("before versions"), by(""))
    store.add_example(example("old"), by("1"))
    store.add_example(example("new"), by("2"))
    store.add_example(example("by a model"), judgement())
    found = [one.example_id for one in store.judged_otherwise("rules", "2")]
    assert found == ["before versions", "old"]
    store.add_judgement("old", by("2"))
    (left,) = store.judged_otherwise("rules", "2")
    assert left == ("before versions", "tasks", "Create a task", "spec-1", "accepted")


def test_filters_hold_together_and_lists_are_in_the_order_of_arrival(store: ExampleStore) -> None:
    store.add_example(example("b", category="tasks"), judgement())
    store.add_example(example("a", category="tasks", person="bob"), judgement("failed", "score", "banned:you should"))
    store.add_example(example("c", category="edges", scenario="Delete all"), judgement("failed", "score"))
    assert ids(store, Filter()) == ["b", "a", "c"]
    assert ids(store, Filter(category="tasks", status="rejected")) == ["a"]
    assert ids(store, Filter(scenario="Delete all")) == ["c"]
    assert ids(store, Filter(person_id="bob")) == ["a"]
    assert ids(store, Filter(reason="score")) == ["a", "c"]
    assert ids(store, Filter(reason="banned:you should")) == ["a"]
    assert ids(store, Filter(ids=("c", "b", "nobody"))) == ["b", "c"]
    assert ids(store, Filter(ids=())) == []
    store.decide(decision("c", "accept"))
    assert ids(store, Filter(decided=True)) == ["c"]
    assert ids(store, Filter(decided=False)) == ["b", "a"]
    assert ids(store, Filter(reason="score")) == ["a"]


def test_places_in_a_list_are_found_both_ways(store: ExampleStore) -> None:
    for number in range(10):
        store.add_example(example(f"e{number}"), judgement("passed" if number % 2 else "failed"))
    odd = Filter(status="accepted")
    assert store.count(odd) == 5
    for place, name in enumerate(["e1", "e3", "e5", "e7", "e9"]):
        assert [row.example.id for row in store.rows(odd, place, 1)] == [name]
        assert store.index_of(name, odd) == place
    assert store.rows(odd, 5, 1) == []
    assert store.index_of("e2", odd) is None
    assert store.index_of("nobody", odd) is None
    assert [row.example.id for row in store.rows(odd, offset=3, limit=9)] == ["e7", "e9"]


def test_counts_follow_every_change(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement())
    store.add_example(example("b"), judgement("failed", "score"))
    store.add_example(example("c", category="edges", scenario="Delete all"), None)
    edges = CategoryCount(category="edges", accepted=0, rejected=0, pending=1)
    assert store.counts() == [edges, CategoryCount(category="tasks", accepted=1, rejected=1, pending=0)]
    assert store.scenario_counts()[("edges", "Delete all")] == edges
    store.decide(decision("b", "accept"))
    assert store.counts()[1] == CategoryCount(category="tasks", accepted=2, rejected=0, pending=0)
    store.undo()
    assert store.counts()[1] == CategoryCount(category="tasks", accepted=1, rejected=1, pending=0)


def test_counts_of_one_spec_follow_the_newest_judgement(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement())
    store.add_example(example("b"), judgement())
    store.add_judgement("b", judgement("failed", "score", spec_hash="spec-2"))
    assert store.counts("spec-1") == [CategoryCount(category="tasks", accepted=1, rejected=0, pending=0)]
    assert store.counts("spec-2") == [CategoryCount(category="tasks", accepted=0, rejected=1, pending=0)]
    assert store.counts("spec-3") == []
    assert ids(store, Filter(spec_hash="spec-2")) == ["b"]


def test_reasons_are_those_of_what_stands_rejected(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement("failed", "score", "trait:kind"))
    store.add_example(example("b"), judgement("failed", "score"))
    store.add_example(example("c"), judgement())
    assert store.reasons() == {"score": 2, "trait:kind": 1}
    store.decide(decision("a", "accept"))
    store.decide(decision("c", "reject", "tone"))
    assert store.reasons() == {"score": 1, "tone": 1}
    store.undo()
    store.undo()
    assert store.reasons() == {"score": 2, "trait:kind": 1}


def test_conversations_are_given_as_they_stand(store: ExampleStore) -> None:
    store.add_example(example("a", reply="First."), judgement())
    store.add_example(example("b", reply="Second."), judgement("failed"))
    store.decide(decision("a", "edit", reply="Better."))
    replies = [(name, last_reply(messages)) for name, messages in store.conversations()]
    assert replies == [("a", "Better."), ("b", "Second.")]


def test_texts_tell_what_stands_what_was_and_what_is_said_of_it(store: ExampleStore) -> None:
    store.add_example(example("kept"), judgement())
    store.add_example(example("edited", reply="Before."), judgement("failed", "score"))
    store.add_example(example("bad", reply="Bad."), judgement("failed", "score", "banned:x"))
    store.decide(decision("edited", "edit", reply="After."))
    kept, edited, bad = store.texts()
    assert kept[:8] == ("kept", "tasks", "Create a task", "ada", "generated", "test author", "accepted", None)
    assert kept.messages == kept.original and kept.reasons == ()
    assert (edited.messages[-1].content, edited.original[-1].content) == ("After.", "Before.")
    assert (edited.decision, edited.status) == ("edit", "accepted")
    assert (bad.status, bad.reasons) == ("rejected", ("banned:x", "score"))


def test_every_conversation_that_an_example_was_is_found_also_after_an_undo(store: ExampleStore) -> None:
    store.add_example(example("one", reply="Written."), judgement())
    store.decide(decision("one", "edit", reply="First."))
    store.undo()
    store.decide(decision("one", "edit", reply="Second."))
    assert [messages[-1].content for messages in store.versions("one")] == ["Written.", "First.", "Second."]


def test_many_examples_are_added_whole_or_not_at_all(store: ExampleStore) -> None:
    ada = Person(id="ada", source="hand")
    store.add_example(example("a"), judgement())

    def several(broken: bool) -> Iterator[tuple[Example, Judgement | None, Person]]:
        yield example("a"), judgement(), ada
        yield example("b", reply="B"), None, ada
        if broken:
            raise UserError("the file ends here")

    with pytest.raises(UserError):
        store.add_examples(several(True))
    assert store.count() == 1 and store.people() == []
    assert store.add_examples(several(False)) == 1
    assert store.count() == 2 and store.people() == [ada]
