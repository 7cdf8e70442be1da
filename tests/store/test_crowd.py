"""Lists of people: filtered, counted and searched where they lie, and followed as people come and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.store import ExampleStore, PeopleFilter, Workspace
from studio.store.records import Person


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    workspace = Workspace.open(tmp_path, "harbour")
    yield workspace.examples
    workspace.close()


def person(number: int, **changes: Any) -> Person:
    fields = {"id": f"p{number}", "source": "bank", "method": "compose", "name": f"Ida {number}", **changes}
    return Person.model_validate(fields)


def ids(store: ExampleStore, **wanted: Any) -> list[str]:
    return [one.id for one in store.crowd.rows(PeopleFilter(**wanted))]


def test_a_list_follows_those_who_come_and_those_who_go(store: ExampleStore) -> None:
    crowd, composed = store.crowd, PeopleFilter(method="compose")
    assert (crowd.count(), crowd.count(composed), crowd.any()) == (0, 0, False)
    store.add_people(person(number) for number in range(5))
    assert (crowd.count(), crowd.count(composed), crowd.any()) == (5, 5, True)
    store.add_person(person(5, method="write"))
    assert (crowd.count(), crowd.count(composed)) == (6, 5)
    store.remove_people(["p1"])
    assert ids(store) == ["p0", "p2", "p3", "p4", "p5"] and crowd.count(composed) == 4
    store.remove_people(["p5"])
    store.add_person(person(6))  # takes the number of the one who went
    assert ids(store, method="compose") == ["p0", "p2", "p3", "p4", "p6"] and ids(store, method="write") == []
    store.replace_person("p0", person(7, method="enrich"))
    assert ids(store) == ["p2", "p3", "p4", "p6", "p7"]


def test_a_list_follows_what_another_process_writes(tmp_path: Path) -> None:
    one, other = Workspace.open(tmp_path, "harbour"), Workspace.open(tmp_path, "harbour")
    assert one.examples.crowd.count() == 0
    other.examples.add_person(person(1))
    assert [found.id for found in one.examples.crowd.rows()] == ["p1"]
    one.close()
    other.close()


def test_counts_are_by_kind_and_follow(store: ExampleStore) -> None:
    store.add_people([person(1), person(2, seed=-1), person(3, source="recorded", method="")])
    store.add_people([person(4, method="write", extreme=True, language="de")])

    def found() -> set[tuple[Any, ...]]:
        return {tuple(one.model_dump().values()) for one in store.crowd.counts()}

    before = found()
    assert before == {
        ("bank", "compose", False, False, "", 1),
        ("bank", "compose", True, False, "", 1),
        ("recorded", "", False, False, "", 1),
        ("bank", "write", False, True, "de", 1),
    }
    store.add_person(person(5))
    assert ("bank", "compose", False, False, "", 2) in found()
    store.remove_people(["p4"])
    assert sum(one[-1] for one in found()) == 4


def test_filters_hold_together(store: ExampleStore) -> None:
    store.add_people([person(1, language="de"), person(2, method="write", language="de", extreme=True)])
    store.add_people([person(3, method="write"), person(4, source="hand", method="")])
    assert ids(store, method="write") == ["p2", "p3"]
    assert ids(store, method="write", language="de") == ["p2"]
    assert ids(store, extreme=True) == ["p2"] and ids(store, extreme=False) == ["p1", "p3", "p4"]
    assert ids(store, source="hand", method="") == ["p4"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("FERRY", ["p1"]),
        ("ferry night", ["p1"]),
        ("ferry day", []),
        ("background", []),
        ('says "ahoy"', ["p2"]),
        ("back\\slash", ["p2"]),
        ("100%", ["p3"]),
        ("1_0", []),
        ("!", []),
        ("ÉLODIE", ["p3"]),
        ("élodie", ["p3"]),
        ("山", ["p4"]),
        ("patient", ["p4"]),
        ("   ", ["p1", "p2", "p3", "p4"]),
    ],
)
def test_words_are_found_in_what_is_said_of_people(store: ExampleStore, words: str, found: list[str]) -> None:
    store.add_people(
        [
            person(1, background="Ferry mate by night"),
            person(2, chatting_style='Says "Ahoy", and back\\slash'),
            person(3, name="Élodie", background="gives 100% and 100 more"),
            person(4, name="山田", traits=("patient", "wry")),
        ]
    )
    assert ids(store, text=words) == found


def test_the_next_one_is_found_around_the_end(store: ExampleStore) -> None:
    store.add_people(person(number, background="sails" if number % 2 else "") for number in range(6))
    wanted = PeopleFilter(text="sails")
    assert store.crowd.next_from("p1", wanted) == ("p3", 1, 3)
    assert store.crowd.next_from("p5", wanted) == ("p1", 0, 3)
    assert store.crowd.next_from("p1", wanted, -1) == ("p5", 2, 3)
    assert store.crowd.next_from("p0", wanted, -1) == ("p5", 2, 3)
    assert store.crowd.next_from("nobody", wanted) == ("p1", 0, 3)
    assert store.crowd.next_from("p1", PeopleFilter(text="flies")) is None


def test_places_stretches_and_names(store: ExampleStore) -> None:
    store.add_people(person(number) for number in range(1200))
    crowd = store.crowd
    assert [one.id for one in crowd.rows(PeopleFilter(), 1198, 10)] == ["p1198", "p1199"]
    assert (crowd.index_of("p700"), crowd.index_of("nobody")) == (700, None)
    assert crowd.index_of("p700", PeopleFilter(method="write")) is None
    assert [one.id for one in crowd.each()] == [f"p{number}" for number in range(1200)]
    assert crowd.names(["p3", "nobody"]) == {"p3": "Ida 3"}
    before = crowd.mark()
    assert crowd.mark() == before
    store.remove_people(["p1199"])
    store.add_person(person(1200))
    assert crowd.mark() != before and crowd.examples_of("p3") == 0
