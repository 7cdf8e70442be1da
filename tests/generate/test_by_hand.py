"""Examples that a person wrote: added whole or not at all, each once, screened as any author's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.chatml import Messages, assistant, user
from studio.dataset import export_chatml
from studio.errors import UserError
from studio.generate.by_hand import BY_HAND, add_by_hand, read_draft, read_examples, template
from studio.spec import SpecError
from studio.store import Filter, Workspace
from studio.triage import Triage
from tests.generate.making import line, wren
from tests.generate.models import Studio, different

SPEC = wren().spec
PAIR = (user("the fern by the door drips"), assistant("It was watered a little late in the day. Empty its saucer."))


def talk(number: int) -> Messages:
    return different(number * 7919 + 11).turns


def test_what_is_imported_is_pending_and_once_accepted_is_trained_on(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, SPEC.slug)
    lines = "\n".join(line("Repotting", talk(number), name="Ada", age=40) for number in range(3))
    added = add_by_hand(wren(), workspace, read_examples(lines, "talks.jsonl", SPEC))
    assert [one.outcome for one in added] == ["added"] * 3
    rows = workspace.examples.rows()
    assert {(row.status, row.example.origin, row.example.author) for row in rows} == {("pending", "hand", BY_HAND)}
    assert {row.example.category for row in rows} == {"care"}
    person = workspace.examples.person(rows[0].example.person_id)
    assert person is not None and (person.name, person.age, person.source) == ("Ada", 40, "hand")
    for one in added:
        Triage(workspace).accept(one.example_id)
    assert export_chatml(workspace, wren()).count == 3


def test_the_same_again_adds_nothing_and_a_dry_run_neither(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, SPEC.slug)
    found = read_examples(line("Repotting", talk(1)), "talks.jsonl", SPEC)
    assert [one.outcome for one in add_by_hand(wren(), workspace, found, write=False)] == ["added"]
    assert workspace.examples.count() == 0
    add_by_hand(wren(), workspace, found)
    assert [one.outcome for one in add_by_hand(wren(), workspace, found)] == ["known"]
    assert workspace.examples.count() == 1


def test_a_held_out_message_and_a_near_copy_are_rejected(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, SPEC.slug)
    near = (talk(1)[0], assistant(talk(1)[1].content + " Yes."))
    leak = (user("Oh no. My peace lily fainted over the weekend"), assistant("Give it a drink."))
    lines = [line("Repotting", talk(1)), line("Repotting", near), line("A plant droops", leak)]
    added = add_by_hand(wren(), workspace, read_examples("\n".join(lines), "talks.jsonl", SPEC))
    assert [one.outcome for one in added] == ["added", "duplicate", "held_out"]
    assert [one.says for one in added] == ["", added[0].example_id, "My peace lily fainted over the weekend"]
    assert workspace.examples.count(Filter(status="rejected")) == 2


def test_a_mistake_anywhere_adds_nothing_and_names_its_line() -> None:
    lines = [line("Repotting", talk(1)), "{", json.dumps({"messages": []})]
    with pytest.raises(SpecError) as caught:
        read_examples("\n".join(lines), "talks.jsonl", SPEC)
    assert [(one.file, one.line) for one in caught.value.problems] == [("talks.jsonl", 2), ("talks.jsonl", 3)]


def test_what_comes_from_elsewhere_may_have_other_keys_and_a_system_turn_and_no_scenario() -> None:
    turns = [{"role": "system", "content": "You are a gardener."}, *(turn.model_dump() for turn in PAIR)]
    text = json.dumps({"id": 7, "source": "log", "messages": turns})
    (one,) = read_examples(text, "log.jsonl", SPEC, "Watered too much")
    assert (one.messages, one.scenario, one.category) == (PAIR, "Watered too much", "watering")
    with pytest.raises(SpecError, match="expected a scenario of the spec, found none"):
        read_examples(text, "log.jsonl", SPEC)
    with pytest.raises(UserError, match="one of: A plant droops"):
        read_examples(text, "log.jsonl", SPEC, "Watered too little")


async def test_what_is_pending_is_judged_when_generating_begins(tmp_path: Path) -> None:
    studio = Studio(tmp_path, wren(), author=None)
    add_by_hand(wren(), studio.workspace, read_examples(line("Repotting", talk(1)), "talks.jsonl", SPEC))
    await studio.run()
    assert studio.judge.asked[0] == talk(1)
    assert studio.workspace.examples.rows()[0].status == "accepted"


def test_a_page_is_read_as_it_was_written() -> None:
    page = template(SPEC, "Repotting")
    assert "#   Away on holiday" in page
    page = page.replace("user: ", "user: may I use\ngarden soil?").replace("assistant: ", "assistant: For mint, yes.")
    one = read_draft(page + "user:\nand for ferns?\nassistant: No: too heavy.\n", "draft.txt", SPEC)
    assert one.scenario == "Repotting"
    assert [turn.content for turn in one.messages] == [
        "may I use\ngarden soil?",
        "For mint, yes.",
        "and for ferns?",
        "No: too heavy.",
    ]


def test_a_page_may_be_json_and_what_is_none_is_refused() -> None:
    turns = [turn.model_dump() for turn in PAIR]
    assert read_draft(json.dumps(turns, indent=1), "x.json", SPEC, "Repotting").messages == PAIR
    assert read_draft(json.dumps({"scenario": "Repotting", "messages": turns}), "x.json", SPEC).messages == PAIR
    for text in (template(SPEC, "Repotting"), "", "user: hi", "[1", "scenario: Nowhere\nuser: a\nassistant: b"):
        with pytest.raises(UserError, match=r"x\.txt: expected"):
            read_draft(text, "x.txt", SPEC)
