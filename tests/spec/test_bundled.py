"""The three specs that come with the studio are pages of schema 2 that keep what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studio.spec import LoadedSpec, Rules, labels_tally, probe_text, recorded_tally, targets
from tests.spec.helpers import BUNDLED, SPECS, bundled

CATEGORIES = {
    "task_creation": (30, 7),
    "task_completion": (25, 5),
    "task_updates": (20, 5),
    "task_queries": (20, 5),
    "productivity_coaching": (30, 5),
    "edge_cases": (25, 5),
    "boundary_testing": (20, 5),
}
"""TaskMaster's: the target and the number of scenarios of each."""


@pytest.fixture(params=BUNDLED)
def loaded(request: pytest.FixtureRequest, tmp_path: Path) -> LoadedSpec:
    return bundled(request.param, tmp_path)


@pytest.fixture
def taskmaster(tmp_path: Path) -> LoadedSpec:
    return bundled("taskmaster", tmp_path)


@pytest.fixture
def bank(tmp_path: Path) -> LoadedSpec:
    return bundled("bank-support", tmp_path)


def holds(phrase: str, text: str) -> bool:
    """Whether ``phrase`` stands in ``text`` as whole words, in any case."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE) is not None


def shown(loaded: LoadedSpec) -> list[str]:
    """What an author is shown: turns of examples, and what people ask."""
    turns = [message.content for example in loaded.spec.examples for message in example.turns]
    return turns + [kind.example_query for topic in loaded.topics for kind in topic.example_types]


def probes(loaded: LoadedSpec) -> list[tuple[str, tuple[str, ...]]]:
    return [probe_text(item) for row in loaded.spec.scenarios.values() if row.holdout for item in row.items]


def test_three_specs_come_with_the_studio() -> None:
    assert set(BUNDLED) == {"taskmaster", "bank-support", "lost-and-found"}


@pytest.mark.parametrize("name", BUNDLED)
def test_each_is_a_page(name: str) -> None:
    assert (SPECS / f"{name}.yaml").read_text(encoding="utf-8").count("\n") <= 220


def test_every_reply_of_an_example_keeps_the_rules_of_its_own_spec(loaded: LoadedSpec) -> None:
    rules = Rules(loaded.spec)
    replies = [turn.content for one in loaded.spec.examples for turn in one.turns if turn.role == "assistant"]
    assert len(replies) >= 4
    assert [hit for reply in replies for hit in rules.broken(reply)] == []


def test_every_trait_says_what_a_2_a_1_and_a_0_look_like(loaded: LoadedSpec) -> None:
    assert [trait.name for trait in loaded.spec.traits if set(trait.anchors) != {0, 1, 2} or not trait.is_not] == []


def test_what_is_held_out_is_not_shown_to_an_author(loaded: LoadedSpec) -> None:
    said = [
        (text, message) for message, _ in probes(loaded) for text in shown(loaded) if holds(message.rstrip(".?!"), text)
    ]
    assert said == []


def test_probes_and_dataset_are_large_enough_to_measure(loaded: LoadedSpec) -> None:
    assert len(probes(loaded)) >= 20
    assert sum(targets(loaded.spec).values()) >= loaded.spec.success.examples


def test_the_data_beside_a_spec_is_for_what_it_has_and_says_no_probe(loaded: LoadedSpec) -> None:
    tallies = [tally for tally in (recorded_tally(loaded), labels_tally(loaded)) if tally]
    assert [note for tally in tallies for note in tally.notes] == []


def test_taskmaster_is_the_persona_of_the_course(taskmaster: LoadedSpec) -> None:
    spec = taskmaster.spec
    traits = ("encouraging", "productivity_focused", "professional_friendly", "action_oriented", "optimistic")
    assert spec.trait_names == traits
    assert [step.step for step in spec.patterns] == ["acknowledge", "deliver", "propel"]
    rows = {name: (row.target, len(row.items)) for name, row in spec.scenarios.items() if not row.holdout}
    assert rows == CATEGORIES
    assert spec.success.examples == 200
    assert spec.deployment.base_model == "meta-llama/Llama-3.1-8B-Instruct"
    assert len(probes(taskmaster)) >= 60


def test_the_bank_assistant_has_a_company_page_and_twelve_topics_of_two_types(bank: LoadedSpec) -> None:
    assert "Lindenfield" in bank.context_text
    assert [len(topic.example_types) for topic in bank.topics] == [2] * 12


def test_the_figures_in_the_bank_assistants_replies_are_on_its_company_page(bank: LoadedSpec) -> None:
    figure = re.compile(r"[\d,.]*\d (?:dollars|percent|working days|days)|0800 \d+ \d+")
    found = 0
    for example in bank.spec.examples:
        asked = " ".join(message.content for message in example.turns if message.role == "user")
        said = " ".join(message.content for message in example.turns if message.role == "assistant")
        figures = figure.findall(said)
        found += len(figures)
        assert [one for one in figures if one not in bank.context_text and one not in asked] == []
    assert found >= 5
