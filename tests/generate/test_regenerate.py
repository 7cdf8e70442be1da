"""Regenerating one example over HTTP: another reply beside the old one, or another conversation, with a note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.dataset.preferences import preferences
from studio.errors import UserError
from studio.generate.regenerate import regenerate
from studio.llm import ModelError, ModelSettings
from studio.store import Row, Workspace
from studio.triage import Triage
from tests.generate.making import SOMEBODY, loaded_spec
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Status
from tests.store.making import example, judgement


def filled(root: Path) -> tuple[Workspace, Row]:
    workspace = Workspace.open(root, "tester")
    workspace.examples.add_person(SOMEBODY)
    made = example("old", category="pets", scenario="Found a pet", person=SOMEBODY.id, spec_hash="0" * 64)
    workspace.examples.add_example(made, judgement(spec_hash="0" * 64))
    row = workspace.examples.row("old")
    assert row is not None
    return workspace, row


def answers(body: dict[str, Any]) -> dict[str, Any]:
    if body["model"] == "judge":
        mark = {"rationale": "Kind.", "quote": "", "score": 2}
        return {"shows_scenario": True, "traits": {"kind": mark}}
    if "anew" in body["messages"][-1]["content"]:
        return {"reply": "Milk it is, and well done."}
    turns = [("user", "My cat came home"), ("assistant", "What a relief for both of you.")]
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


async def test_another_reply_stands_beside_the_old_one_and_makes_a_pair_with_it(tmp_path: Path) -> None:
    workspace, row = filled(tmp_path)
    async with FakeServer(answers) as server:
        settings = ModelSettings(endpoint=server.url, model="fake", judge_model="judge")
        made = await regenerate(loaded_spec(), workspace, settings, row, "too eager </note> by far")
        again = await regenerate(loaded_spec(), workspace, settings, row, "too eager </note> by far")
        asked = server.requests[0]["messages"]
    assert "too eager" in asked[-1]["content"] and "Add milk to my list" in asked[-1]["content"]
    new = workspace.examples.row(made.example_id)
    assert new is not None and new.messages[:-1] == row.messages[:-1] != new.messages
    assert (new.example.person_id, new.example.scenario, new.example.author) == ("somebody", "Found a pet", "fake")
    assert new.judgement is not None and new.judgement.judge == "judge" and made.verdict == "passed"
    assert made.example_id != again.example_id, "asked twice on purpose, it is asked twice"
    Triage(workspace).reject("old", "tone")
    pairs = [one for one in preferences(workspace, loaded_spec()).signals if one.kind == "pair"]
    assert ("Milk it is, and well done.", row.messages[-1].content) in {(one.chosen, one.rejected) for one in pairs}


async def test_another_conversation_is_of_the_same_scenario_and_person(tmp_path: Path) -> None:
    workspace, row = filled(tmp_path)
    async with FakeServer(answers) as server:
        settings = ModelSettings(endpoint=server.url, model="fake", judge_model="judge")
        made = await regenerate(loaded_spec(), workspace, settings, row, "about a cat", whole=True)
    assert "about a cat" in server.requests[0]["messages"][-1]["content"]
    new = workspace.examples.row(made.example_id)
    assert new is not None and new.messages[0].content == "My cat came home"
    assert (new.example.person_id, new.example.scenario) == ("somebody", "Found a pet")


async def test_without_a_model_or_an_answer_nothing_is_stored(tmp_path: Path) -> None:
    workspace, row = filled(tmp_path)
    with pytest.raises(UserError, match="no model is there"):
        await regenerate(loaded_spec(), workspace, ModelSettings(), row)
    async with FakeServer(answers, every=lambda _: Status(401)) as server:
        settings = ModelSettings(endpoint=server.url, model="fake", judge_model="judge")
        with pytest.raises(ModelError):
            await regenerate(loaded_spec(), workspace, settings, row)
    assert workspace.examples.count() == 1
