"""Snapshots: frozen sides by scenario and person, known by their content, and trained on as they were."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from studio.chatml import assistant, user
from studio.dataset import contents, diff, find_snapshot, snapshots, take_snapshot, training_data
from studio.dataset.export import export_chatml
from studio.dataset.splits import Piece, grouped, validation_of
from studio.embed import Embedder
from studio.errors import UserError
from studio.store import Person, Workspace
from studio.triage import Triage
from tests.dataset.making import fill, loaded
from tests.store.making import example, judgement


def piece(name: str, text: str, person: str = "", scenario: str = "s", said: str = "Hello") -> Piece:
    return Piece(name, scenario, person, (user(said), assistant(text)))


def unlike(number: int) -> str:
    rng = random.Random(number)
    return " ".join(f"w{rng.randrange(10**6)}" for _ in range(20))


def lines(path: Path | None) -> set[str]:
    assert path is not None
    return {json.loads(line)["messages"][-1]["content"] for line in path.read_text().splitlines()}


def test_what_is_alike_and_what_a_person_says_is_kept_together() -> None:
    twin = f"{unlike(1)} and one more"
    same = "Where is the harbour master today?"
    pieces = [
        *(piece("a", unlike(1)), piece("b", twin), piece("c", unlike(2), "ada"), piece("d", unlike(3), "ada")),
        *(piece("e", unlike(4), said=same), piece("f", unlike(5), said=same.upper()), piece("g", unlike(6))),
        *(piece(f"h{number}", unlike(10 + number), f"p{number}") for number in range(20)),
    ]
    groups = {frozenset(pieces[number].id for number in group) for group in grouped(pieces, 0.3)}
    assert {group for group in groups if len(group) > 1} == {frozenset("ab"), frozenset("cd"), frozenset("ef")}


def test_what_means_the_same_is_kept_together_where_meanings_are_asked_for() -> None:
    class Fake:
        version = "fake"

        def embed(self, texts: list[str]) -> object:
            import numpy as np

            return np.array([[1, 0], [0, 1], [0.999, 0.0447]], np.float32)[: len(texts)]

    fake: Embedder = Fake()  # type: ignore[assignment]
    pieces = [piece("a", "One sails."), piece("b", "Two rows."), piece("c", "Nobody walks here.")]
    assert sorted(map(sorted, grouped(pieces, 0.5))) == [[0], [1], [2]]
    assert sorted(map(sorted, grouped(pieces, 0.5, fake))) == [[0, 2], [1]]


def test_each_scenario_has_its_share_of_the_validation_side_and_keeps_something_to_train_on() -> None:
    pieces = [piece(f"e{number}", unlike(number), f"p{number // 2}", f"s{number % 10}") for number in range(400)] + [
        piece("only", unlike(999), "last", "alone")
    ]
    found = validation_of(pieces, 0.1)
    assert len(found) in range(36, 42)
    shares = Counter(one.scenario for one in pieces if one.id in found)
    assert "alone" not in shares and all(1 <= shares[f"s{number}"] <= 8 for number in range(10))
    sides = {one.person_id: set[bool]() for one in pieces}
    for one in pieces:
        sides[one.person_id].add(one.id in found)
    assert all(len(side) == 1 for side in sides.values())
    assert validation_of(pieces[::-1], 0.1) == found
    assert validation_of(pieces, 0.1, seed=1) != found
    assert validation_of(pieces, 0) == frozenset()


def test_somebody_who_says_most_of_it_is_kept_together_by_scenario_only() -> None:
    pieces = [piece(f"e{number}", unlike(number), "ada", f"s{number % 20}") for number in range(100)]
    pieces += [piece(f"x{number}", unlike(500 + number), f"p{number}", f"s{number % 20}") for number in range(100)]
    found = validation_of(pieces, 0.1)
    assert len(found) >= 10
    by_scenario = {
        one.scenario: {p.id in found for p in pieces if p.person_id == "ada" and p.scenario == one.scenario}
        for one in pieces
    }
    assert all(len(sides) == 1 for sides in by_scenario.values())


def test_sides_stay_as_they_were_when_examples_are_added() -> None:
    old = [piece(f"e{number}", unlike(number), f"p{number}", f"s{number % 5}") for number in range(100)]
    first = validation_of(old, 0.1)
    before = {one.id: "validation" if one.id in first else "train" for one in old}
    new = [piece(f"n{number}", unlike(200 + number), f"p{number + 80}", f"s{number % 5}") for number in range(100)]
    second = validation_of([*old, *new], 0.1, before=before)  # type: ignore[arg-type]
    assert first <= second and len(second) in range(16, 21)
    assert not {one.id for one in old} & second - first
    voices = {one.person_id for one in old if one.id in first}
    assert {one.id for one in new if one.person_id in voices} <= second, "a person's new words follow the old ones"


def test_a_snapshot_is_known_by_its_content_alone(workspace: Workspace, tmp_path: Path) -> None:
    fill(workspace, 60)
    taken = take_snapshot(workspace, loaded())
    assert (taken.train + taken.validation, taken.scenarios) == (60, 4) and taken.validation in range(4, 7)
    assert take_snapshot(workspace, loaded()) == taken and snapshots(workspace) == [taken]
    other = Workspace(tmp_path / "other")
    fill(other, 60)
    again = take_snapshot(other, loaded())
    other.close()
    assert (again.id, again.hash) == (taken.id, taken.hash)
    kept = contents(workspace, taken.id)
    assert not kept.train.keys() & kept.validation.keys()
    assert find_snapshot(workspace, taken.id[:8]) == taken
    with pytest.raises(UserError, match=r"no such snapshot.*data-"):
        find_snapshot(workspace, "nothing")


def test_two_snapshots_are_compared(workspace: Workspace) -> None:
    fill(workspace, 60)
    first = contents(workspace, take_snapshot(workspace, loaded()).id)
    edited, removed = sorted(first.train)[:2]
    Triage(workspace).edit(edited, (user("Add milk"), assistant("Edited by hand.")))
    Triage(workspace).reject(removed, "tone")
    workspace.examples.add_example(example("fresh", reply=unlike(77)), judgement())
    second = contents(workspace, take_snapshot(workspace, loaded()).id)
    found = diff(first, second)
    assert (found.added, found.removed, found.edited) == (("fresh",), (removed,), (edited,))
    assert found.moved == ()
    third = contents(workspace, take_snapshot(workspace, loaded(), 0.4).id)
    moved = diff(second, third).moved
    assert moved and all(second.sides[one] != third.sides[one] for one in moved)
    assert diff(second, second) == diff(third, third)


def test_nothing_of_a_held_out_scenario_is_in_either_side(workspace: Workspace) -> None:
    fill(workspace, 20)
    workspace.examples.add_example(
        example("shown", category="probes", scenario="Empty it", reply=unlike(1)), judgement()
    )
    workspace.examples.add_example(example("said", said="Now empty my list!", reply=unlike(2)), judgement())
    taken = take_snapshot(workspace, loaded("Empty [my list].", "Empty it"))
    kept = contents(workspace, taken.id)
    assert not {"shown", "said"} & kept.digests.keys() and taken.left_out["held_out"] == 2


def test_a_persons_words_are_on_one_side(workspace: Workspace) -> None:
    for number in range(5):
        workspace.examples.add_person(Person(id=f"p{number}", source="hand", name=f"N{number}"))
    for number in range(100):
        one = example(f"e{number}", reply=unlike(number), said=unlike(1000 + number), person=f"p{number % 50}")
        workspace.examples.add_example(one, judgement())
    kept = contents(workspace, take_snapshot(workspace, loaded(), 0.2).id)
    for number in range(5):
        assert len({kept.sides[f"e{number}"], kept.sides[f"e{number + 50}"]}) == 1


def test_training_goes_on_as_before_until_a_validation_side_is_wanted(workspace: Workspace) -> None:
    fill(workspace, 40)
    everything, data = export_chatml(workspace, loaded()), training_data(workspace, loaded())
    assert (data.hash, data.count, data.path) == (everything.hash, 40, everything.path)
    assert find_snapshot(workspace, data.snapshot).validation == 0 and data.validation_path is None
    taken = take_snapshot(workspace, loaded())
    split = training_data(workspace, loaded())
    assert split.snapshot == taken.id and (split.count, split.validation_count) == (taken.train, taken.validation)
    assert lines(split.path) | lines(split.validation_path) == lines(everything.path)
    assert not lines(split.path) & lines(split.validation_path)
    assert training_data(workspace, loaded(), write=False) == split


def test_an_earlier_snapshot_is_trained_on_with_the_texts_that_it_had(workspace: Workspace) -> None:
    fill(workspace, 30)
    taken = take_snapshot(workspace, loaded())
    data = training_data(workspace, loaded())
    name = min(contents(workspace, taken.id).train)
    Triage(workspace).edit(name, (user("Add milk"), assistant("First edit.")))
    second = training_data(workspace, loaded())
    Triage(workspace).undo()
    Triage(workspace).edit(name, (user("Add milk"), assistant("Second edit.")))
    Triage(workspace).reject(max(contents(workspace, taken.id).train), "tone")
    assert training_data(workspace, loaded(), taken.id) == data
    assert "First edit." in lines(training_data(workspace, loaded(), second.snapshot).path)
    now = training_data(workspace, loaded())
    assert now.snapshot not in (data.snapshot, second.snapshot) and "Second edit." in lines(now.path)


def test_of_nothing_there_is_no_snapshot(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="nothing is accepted"):
        take_snapshot(workspace, loaded())
    assert training_data(workspace, loaded()).count == 0 and snapshots(workspace) == []
