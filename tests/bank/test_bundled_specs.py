"""The three specs that come with the studio keep what their own pages say."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from studio.bank.components import components
from studio.spec import LoadedSpec, Rules, load, probe_text, targets

SPECS = Path(__file__).parents[2] / "specs"
NAMES = ("taskmaster", "bank-support", "lost-and-found")
TARGETS = {
    "task_creation": 30,
    "task_completion": 25,
    "task_updates": 20,
    "task_queries": 20,
    "productivity_coaching": 30,
    "edge_cases": 25,
    "boundary_testing": 20,
}


@pytest.fixture(scope="module", params=NAMES)
def loaded(request: pytest.FixtureRequest) -> LoadedSpec:
    return load(SPECS / f"{request.param}.yaml")


@pytest.fixture(scope="module")
def taskmaster() -> LoadedSpec:
    return load(SPECS / "taskmaster.yaml")


def holds(phrase: str, text: str) -> bool:
    """Whether ``phrase`` stands in ``text`` as whole words, in any case."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE) is not None


def told(loaded: LoadedSpec) -> list[str]:
    """Every text that training data may be made of: turns of examples, slots, phrases, what people ask and own."""
    spec = loaded.spec
    turns = [message.content for example in spec.examples for message in example.turns]
    slots = [phrase for phrases in spec.slots.values() for phrase in phrases]
    kinds = [kind for topic in loaded.topics for kind in topic.example_types]
    people = [text for kind in kinds for text in (kind.example_query, *kind.example_things)]
    return turns + slots + people + [phrase for step in spec.patterns for phrase in step.phrases]


def probes(loaded: LoadedSpec) -> list[tuple[str, tuple[str, ...]]]:
    return [probe_text(item) for row in loaded.spec.scenarios.values() if row.holdout for item in row.items]


def test_every_scenario_has_two_examples_or_more(loaded: LoadedSpec) -> None:
    shown = Counter(example.scenario for example in loaded.spec.examples)
    wanted = [item for row in loaded.spec.scenarios.values() if not row.holdout for item in row.items]
    assert [item for item in wanted if shown[item] < 2] == []
    assert set(shown) <= set(wanted)


def test_every_example_keeps_the_rules_of_its_own_spec(loaded: LoadedSpec) -> None:
    rules = Rules.of(loaded.spec)
    for example in loaded.spec.examples:
        for message in example.turns:
            if message.role == "assistant":
                assert rules.broken(message.content) == (), message.content


def test_every_phrase_and_slot_keeps_the_rules_of_its_own_spec(loaded: LoadedSpec) -> None:
    rules = Rules.of(loaded.spec)
    for step in loaded.spec.patterns:
        for phrase in step.phrases:
            assert rules.broken(phrase) == (), phrase


def test_held_out_messages_are_not_said_in_examples_or_slots(loaded: LoadedSpec) -> None:
    training = told(loaded)
    for message, _ in probes(loaded):
        said = [text for text in training if holds(message.rstrip(".?!"), text)]
        assert said == [], message


def test_the_words_that_probes_keep_are_not_in_examples_slots_or_the_bank(loaded: LoadedSpec) -> None:
    training = [*told(loaded), *(thing for role in components().roles for thing in role.things)]
    for _, kept in probes(loaded):
        for words in kept:
            assert [text for text in training if holds(words, text)] == [], words


def test_a_slot_phrase_is_not_part_of_another_kinds_phrase(loaded: LoadedSpec) -> None:
    pairs = [(kind, phrase) for kind, phrases in loaded.spec.slots.items() for phrase in phrases]
    clashes = [(one, other) for one in pairs for other in pairs if one[0] != other[0] and holds(one[1], other[1])]
    assert clashes == []
    assert max(Counter(phrase.lower() for _, phrase in pairs).values()) == 1


def test_every_slot_kind_is_used_by_an_example(loaded: LoadedSpec) -> None:
    turns = "\n".join(message.content for example in loaded.spec.examples for message in example.turns)
    unused = [kind for kind, phrases in loaded.spec.slots.items() if not any(phrase in turns for phrase in phrases)]
    assert unused == []


def test_what_a_reply_takes_from_the_user_can_be_exchanged_on_both_sides(loaded: LoadedSpec) -> None:
    """A slot word in another case would change in the reply and not in the question."""
    phrases = [phrase for phrases in loaded.spec.slots.values() for phrase in phrases]
    for example in loaded.spec.examples:
        for message in example.turns:
            if message.role == "user":
                bent = [p for p in phrases if holds(p, message.content) and p not in message.content]
                assert bent == [], message.content


def test_each_trait_is_heard_in_nearly_every_example(loaded: LoadedSpec) -> None:
    """The rules judge goes by the cues: an example that it would not accept teaches nothing."""
    rules = Rules.of(loaded.spec)
    heard = [rules.trait_cues(example.turns[-1].content) for example in loaded.spec.examples]
    for name in loaded.spec.trait_names:
        share = sum(bool(found[name]) for found in heard) / len(heard)
        assert share >= 0.95, name
    assert all(sum(bool(cues) for cues in found.values()) >= len(found) - 1 for found in heard)


def test_probes_and_dataset_are_large_enough_to_measure(loaded: LoadedSpec) -> None:
    assert len(probes(loaded)) >= 20
    assert sum(targets(loaded.spec).values()) >= loaded.spec.success.examples


def test_taskmaster_has_the_targets_of_its_seven_categories(taskmaster: LoadedSpec) -> None:
    rows = taskmaster.spec.scenarios
    assert {name: row.target for name, row in rows.items() if not row.holdout} == TARGETS
    assert all(5 <= len(row.items) <= 7 for row in rows.values() if not row.holdout)
    assert taskmaster.spec.success.examples == 200
    held_out = {name: len(row.items) for name, row in rows.items() if row.holdout}
    assert set(held_out) == {"probe_task_management", "probe_coaching", "probe_edge_cases", "probe_boundary"}
    assert all(10 <= count <= 16 for count in held_out.values())


def test_taskmaster_has_its_five_traits_and_its_three_steps(taskmaster: LoadedSpec) -> None:
    spec = taskmaster.spec
    assert spec.trait_names == ("encouraging", "organized", "action_oriented", "concise", "supportive")
    assert [step.step for step in spec.patterns] == ["acknowledge", "deliver", "propel"]
    assert all(set(trait.anchors) == {0, 1, 2} and trait.cues and trait.is_not for trait in spec.traits)
    assert len(spec.slots["task"]) >= 60


def test_the_bank_assistant_has_a_company_page_and_twelve_topics_of_two_types() -> None:
    bank = load(SPECS / "bank-support.yaml")
    assert "Lindenfield" in bank.context_text
    assert len(bank.topics) == 12
    assert all(len(topic.example_types) == 2 for topic in bank.topics)


def test_the_figures_in_the_bank_assistants_replies_are_on_its_company_page() -> None:
    bank = load(SPECS / "bank-support.yaml")
    amounts = set(bank.spec.slots["amount"])
    for example in bank.spec.examples:
        asked = " ".join(message.content for message in example.turns if message.role == "user")
        for message in example.turns:
            if message.role == "assistant":
                found = re.findall(
                    r"\d[\d,. ]*\d (?:dollars|percent|days)|\d (?:dollars|percent)|0800 \d+ \d+", message.content
                )
                invented = [f for f in found if f not in bank.context_text and f not in asked and f not in amounts]
                assert invented == [], message.content
