"""People and calls are kept once and never change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from studio.calls import CallRecord, Spent
from studio.store import ExampleStore, Person
from tests.store.making import NOW, example


def call(key: str, *, cost: float | None = 0.25, response: str = "yes") -> CallRecord:
    return CallRecord(
        key=key,
        purpose="author",
        model="m",
        response=response,
        prompt_tokens=10,
        completion_tokens=5,
        cost_usd=cost,
        at=NOW,
    )


def test_people_come_back_in_order_and_by_source(store: ExampleStore) -> None:
    ada = Person(id="z", source="bank", name="Ada", age=41, chatting_style="terse")
    bob = Person(id="a", source="profiles", name="Bob")
    for person in (ada, bob):
        store.add_person(person)
    assert store.people() == [ada, bob]
    assert store.people("profiles") == [bob]
    assert store.person("z") == ada
    assert store.person("nobody") is None


def test_a_person_stays_who_they_were(store: ExampleStore) -> None:
    store.add_person(Person(id="a", source="bank", name="Ada"))
    store.add_person(Person(id="a", source="bank", name="Somebody else"))
    assert [person.name for person in store.people()] == ["Ada"]


def test_several_people_are_kept_together_or_not_at_all(store: ExampleStore) -> None:
    def some() -> Iterator[Person]:
        yield Person(id="a", source="bank")
        raise ValueError("the file ends here")

    with pytest.raises(ValueError, match="ends here"):
        store.add_people(some())
    assert store.people() == []
    people = [Person(id=f"p{number}", source="bank") for number in range(1201)]
    assert store.add_people(people) == 1201
    assert store.add_people([people[3], Person(id="new", source="hand")]) == 1
    assert list(store.each_person("bank")) == people
    assert [one.id for one in store.each_person()][-1] == "new"


def test_an_answer_is_found_by_its_key_and_the_first_of_two_is_kept(store: ExampleStore) -> None:
    store.add_calls([call("k", response="first")])
    store.add_calls([call("k", response="second")])
    found = store.call("k")
    assert found is not None and found.response == "first"
    assert store.call("other") is None
    assert store.spent().calls == 1


def test_what_was_spent_is_told_by_purpose_and_an_unknown_price_is_not_zero(store: ExampleStore) -> None:
    assert store.spent() == Spent() and store.spending() == {}
    store.add_calls([call("a", cost=None)])
    store.add_calls([call("b")])
    store.add_calls([call("c", cost=None).model_copy(update={"purpose": "judge", "seconds": 1.5})])
    assert store.spending() == {"author": Spent(2, 1, 20, 10, 0.0, 0.25), "judge": Spent(1, 1, 10, 5, 1.5, 0.0)}
    store.add_calls([call("d")])
    given_up = call("e", cost=0.0).model_copy(update={"outcome": "given up", "prompt_tokens": 0})
    store.add_calls([given_up])
    assert store.spent() == Spent(4, 2, 40, 20, 1.5, 0.5)
    again = ExampleStore(store.path)
    assert again.spending() == store.spending(), "also after a restart"
    store.add_calls([call("f")])
    assert again.spent().calls == 5, "also what another process spends"
    again.close()


def test_only_people_whom_no_example_names_are_removed(store: ExampleStore) -> None:
    people = [Person(id=id, source="bank", name=id) for id in ("asked", "unused")]
    for person in (*people, Person(id="of-profile", source="profiles", name="Bob")):
        store.add_person(person)
    store.add_example(example(person="asked"))
    assert store.remove_unused_people("bank") == 1
    assert [person.id for person in store.people()] == ["asked", "of-profile"]


def test_an_answer_is_kept_at_once_unless_somebody_else_writes(store: ExampleStore) -> None:
    assert store.add_calls([call("a")], wait=False)
    other = sqlite3.connect(store.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not store.add_calls([call("b")], wait=False) and store.call("b") is None
    other.execute("ROLLBACK")
    other.close()
    assert store.add_calls([call("b")], wait=False) and store.call("b") is not None
