"""Lists follow every change, by whatever process, as if they had been built anew."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.store import ExampleStore, Filter, lists
from tests.store.making import decision, example, judgement

FILTERS = [
    Filter(),
    Filter(status="accepted"),
    Filter(status="rejected", category="edges"),
    Filter(reason="tone"),
    Filter(decided=True),
    Filter(text="milk"),
    Filter(text="better", status="accepted"),
    Filter(person_id="bob"),
    Filter(spec_hash="spec-2"),
    Filter(ids=("e1", "e3", "e8", "e30", "nobody")),
]


@pytest.fixture
def other(store: ExampleStore, tmp_path: Path) -> Iterator[ExampleStore]:
    """The same file, opened a second time, as another process would."""
    opened = ExampleStore(tmp_path / "examples.db")
    yield opened
    opened.close()


def change(store: ExampleStore, rng: random.Random, number: int) -> None:
    """One of all the changes that there are."""
    known = f"e{rng.randrange(number)}"
    if rng.random() < 0.5 or number == 1:
        made = example(f"e{number}", category=rng.choice(["tasks", "edges"]), person=rng.choice(["ada", "bob"]))
        store.add_example(made, rng.choice([None, judgement("passed"), judgement("failed", "score")]))
        return
    if store.row(known) is None:
        return
    match rng.randrange(5):
        case 0:
            store.decide(decision(known, "reject", "tone"))
        case 1:
            store.decide(decision(known, "edit", reply="A better reply."))
        case 2:
            store.undo()
        case 3:
            store.redo()
        case 4:
            store.add_judgement(known, judgement("passed", spec_hash="spec-2"))


def seqs(store: ExampleStore, wanted: Filter) -> list[int]:
    return [row.seq for row in store.rows(wanted, limit=1000)]


def test_a_followed_list_is_the_list_built_anew(
    store: ExampleStore, other: ExampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    writers = [store, other]
    for number in range(1, 120):
        change(rng.choice(writers), rng, number)
        if number % 3 == 0:
            for wanted in rng.sample(FILTERS, 4):
                seqs(store, wanted)  # some lists are looked at often, some fall behind
    fresh = ExampleStore(store.path)
    for wanted in FILTERS:
        expected = seqs(fresh, wanted)
        assert seqs(store, wanted) == expected
        assert seqs(other, wanted) == expected
        assert store.count(wanted) == len(expected)
    assert len(seqs(fresh, Filter())) > 40
    fresh.close()


def test_counts_are_those_of_the_lists(store: ExampleStore) -> None:
    rng = random.Random(11)
    for number in range(1, 150):
        change(store, rng, number)
    for count in store.counts():
        for status in ("accepted", "rejected", "pending"):
            assert getattr(count, status) == store.count(Filter(category=count.category, status=status))
    for reason, number in store.reasons().items():
        assert number == store.count(Filter(reason=reason))


def test_a_list_that_fell_far_behind_is_built_anew(store: ExampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_REBUILD", 3)
    accepted = Filter(status="accepted")
    assert store.count(accepted) == 0
    for number in range(10):
        store.add_example(example(f"e{number}"), judgement())
    assert store.count(accepted) == 10


def test_more_lists_than_are_kept_are_all_right(store: ExampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_KEPT", 2)
    for number in range(6):
        store.add_example(example(f"e{number}", category=f"c{number % 3}"), judgement())
    for _ in range(2):
        for number in range(3):
            assert store.count(Filter(category=f"c{number}")) == 2


def test_the_next_row_of_a_list_is_found_around_its_end(store: ExampleStore) -> None:
    for number in range(1, 8):
        store.add_example(example(f"e{number}", said="milk" if number in (2, 5) else "bread", reply="ok"), judgement())
    milk = Filter(text="milk")

    def found(seq: int, step: int) -> str | None:
        row = store.next_from(seq, milk, 1 if step > 0 else -1)
        return row.example.id if row else None

    assert [found(seq, 1) for seq in (0, 2, 3, 5, 7)] == ["e2", "e5", "e5", "e2", "e2"]
    assert [found(seq, -1) for seq in (0, 2, 3, 5, 7)] == ["e5", "e5", "e2", "e2", "e5"]
    assert store.next_from(1, Filter(text="wine")) is None


def test_anything_written_by_anybody_changes_the_version(store: ExampleStore, other: ExampleStore) -> None:
    seen = [store.data_version()]
    assert store.data_version() == seen[0]
    store.add_example(example("a"), None)
    seen.append(store.data_version())
    other.decide(decision("a", "accept"))
    seen.append(store.data_version())
    other.undo()
    seen.append(store.data_version())
    assert len(set(seen)) == 4
    store.row("a")
    assert store.data_version() == seen[-1]


def test_threads_read_while_one_writes(store: ExampleStore) -> None:
    store.add_example(example("e0"), judgement())
    done = threading.Event()
    wrong: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                count = store.count(Filter(status="accepted"))
                (row,) = store.rows(Filter(status="accepted"), count - 1, 1)
                assert store.index_of(row.example.id, Filter(status="accepted")) == count - 1
                assert sum(one.accepted for one in store.counts()) >= count
        except BaseException as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 150):
        store.add_example(example(f"e{number}"), judgement())
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_examples_are_filtered_by_where_they_come_from_also_when_some_come_later(store: ExampleStore) -> None:
    store.add_example(example("a"), judgement())
    wanted = Filter(origin="imported")
    assert store.count(wanted) == 0 and store.count(Filter(origin="generated", status="accepted")) == 1
    store.add_example(example("b", reply="B").model_copy(update={"origin": "imported"}))
    assert [row.example.id for row in store.rows(wanted)] == ["b"] and store.count(wanted) == 1
    assert store.index_of("b", wanted) == 0 and store.index_of("a", wanted) is None
