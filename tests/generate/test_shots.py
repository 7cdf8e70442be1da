"""Examples that people accepted are shown to the author, the least used first, the same again to the same attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.chatml import assistant, user
from studio.generate.author import author_request
from studio.generate.plan import Attempt
from studio.generate.shots import KIND, AcceptedShots, Shown
from studio.spec import LoadedSpec
from studio.store import Decision, Example, Workspace
from tests.generate.making import loaded_spec
from tests.generate.test_prompt import HARPIST

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCENARIOS = {"pets": {"target": 10, "items": ["Found a pet", "Lost a pet"]}}


@pytest.fixture
def loaded() -> LoadedSpec:
    return loaded_spec(scenarios=SCENARIOS)


@pytest.fixture
def workspace(tmp_path: Path, loaded: LoadedSpec) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, loaded.spec.slug)
    yield opened
    opened.close()


def attempt(number: int, scenario: str = "Found a pet") -> Attempt:
    return Attempt("pets", scenario, number, 100 + number, HARPIST, f"attempt-{number}")


def accept(
    workspace: Workspace, loaded: LoadedSpec, name: str, scenario: str = "Found a pet", by_hand: bool = True
) -> None:
    messages = (user(f"What of {name}?"), assistant(f"The answer of {name}."))
    parts = {"id": name, "spec_hash": loaded.hash, "category": "pets", "scenario": scenario, "person_id": "p"}
    workspace.examples.add_example(
        Example.model_validate(parts | {"messages": messages, "author": "a", "created": NOW})
    )
    if by_hand:
        workspace.examples.decide(Decision(example_id=name, action="accept", at=NOW))


def test_what_the_author_is_asked_is_the_same_while_nobody_decided(workspace: Workspace, loaded: LoadedSpec) -> None:
    accept(workspace, loaded, "undecided", by_hand=False)
    chosen = AcceptedShots(loaded, workspace).of(attempt(0))
    assert chosen == () and workspace.documents.count(KIND) == 0
    assert author_request(loaded, attempt(0), accepted=chosen) == author_request(loaded, attempt(0))


def test_accepted_ones_are_shown_by_turns_those_of_the_scenario_first(workspace: Workspace, loaded: LoadedSpec) -> None:
    for name in ("a", "b", "c", "d"):
        accept(workspace, loaded, name)
    accept(workspace, loaded, "other", "Lost a pet")
    accepted = AcceptedShots(loaded, workspace)
    chosen = [accepted.of(attempt(number)) for number in range(6)]
    used = Counter(one.turns[0].content for some in chosen for one in some)
    assert set(used.values()) == {3} and len(used) == 4  # six times two of four, none of the other scenario
    text = author_request(loaded, attempt(0), accepted=chosen[0]).messages[1].content
    assert all(one.turns[1].content in text for one in chosen[0]) and "chosen by one who knows" in text
    (first, _) = accepted.of(attempt(9, "Lost a pet"))
    assert first.turns[0].content == "What of other?"


def test_a_resumed_attempt_is_shown_the_same_though_people_went_on(workspace: Workspace, loaded: LoadedSpec) -> None:
    accept(workspace, loaded, "a")
    before = author_request(loaded, attempt(1), accepted=AcceptedShots(loaded, workspace).of(attempt(1)))
    for name in ("b", "c"):
        accept(workspace, loaded, name)
    workspace.examples.decide(Decision(example_id="a", action="reject", at=NOW))
    again = AcceptedShots(loaded, workspace)
    assert author_request(loaded, attempt(1), accepted=again.of(attempt(1))) == before
    assert {one.turns[0].content for one in again.of(attempt(2))} == {"What of b?", "What of c?"}


def test_uses_are_counted_over_runs_and_an_edit_is_shown_as_it_stands(workspace: Workspace, loaded: LoadedSpec) -> None:
    for name in ("a", "b"):
        accept(workspace, loaded, name)
    workspace.documents.put(KIND, "earlier", Shown(ids=("a", "a", "a"), examples=()))
    accept(workspace, loaded, "c")
    edited = (user("What of c?"), assistant("Said better."))
    workspace.examples.decide(Decision(example_id="c", action="edit", messages=edited, at=NOW))
    chosen = AcceptedShots(loaded, workspace).of(attempt(3))
    assert {one.turns[1].content for one in chosen} == {"The answer of b.", "Said better."}
