"""The same against a server: author and judge over HTTP with structured output, and nothing paid for twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from studio.calls import CallRecord
from studio.generate import ExampleScored, GenerateFinished, GenerateParams, generate, open_author
from studio.generate.author import StoreCallLog
from studio.generate.plan import Attempt
from studio.llm import ModelError, ModelSettings
from studio.spec import LoadedSpec
from studio.store import Workspace
from tests.generate.making import loaded_spec
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Status

SCENARIOS = {"a": {"target": 10, "items": ["a1", "a2"]}}
NAMES = "ash beech cherry date elder fig gum hazel ilex juniper kapok larch maple neem oak pine quince rowan".split()


def spec() -> LoadedSpec:
    return loaded_spec(scenarios=SCENARIOS, success={"examples": 10}, patterns=[{"step": "say", "how": "Say it"}])


class Model:
    """Writes conversations and judges them, by the model that is asked.

    Its first ``empty`` answers as an author are nothing but nulls; the first ``astray`` conversations show another
    situation than they should.
    """

    def __init__(self, empty: int = 0, astray: int = 0) -> None:
        self.written = self.judged = 0
        self.empty, self.astray = empty, astray

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["model"] == "fake":
            self.empty -= 1
            if self.empty >= 0:
                return {"messages": None, "user": None, "assistant": None}
            self.written += 1
            trees = " ".join(f"{name}{self.written}" for name in NAMES)
            said = ("user", f"Which tree is {trees}?"), ("assistant", f"It is {trees}, my friend.")
            return {"messages": [{"role": role, "content": content} for role, content in said]}
        self.judged += 1
        mark = {"rationale": "Kind.", "quote": "my friend", "score": 0 if self.judged == 3 else 2}
        shows = self.judged > self.astray
        return {"shows_scenario": shows, "steps": {"say": True}, "traits": {"kind": mark}}


def params(server: FakeServer, root: Path) -> GenerateParams:
    settings = ModelSettings(endpoint=server.url, model="fake", judge_model="fake-judge")
    return GenerateParams(spec_path="tester.yaml", workspace=str(root), settings=settings, concurrency=4)


async def test_author_and_judge_over_http(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "tester")
    model = Model()
    async with FakeServer(model, faults=[None, Status(500)]) as server:
        events = [e async for e in generate(spec(), workspace, params(server, tmp_path), lambda: False)]
        models = {request["model"] for request in server.requests}
    end = events[-1]
    assert isinstance(end, GenerateFinished) and end.complete and (end.accepted, end.rejected) == (10, 1)
    assert models == {"fake", "fake-judge"}
    assert (model.written, model.judged) == (11, 11)
    rejected = next(e for e in events if isinstance(e, ExampleScored) and not e.accepted)
    assert "trait:kind" in rejected.judgement.reasons and rejected.judgement.judge == "fake-judge"
    assert workspace.examples.spent().calls == 22


async def test_a_paid_answer_is_never_asked_for_again(tmp_path: Path) -> None:
    workspace, loaded = Workspace.open(tmp_path, "tester"), spec()
    async with FakeServer(Model()) as server:
        asked = params(server, tmp_path)
        _ = [e async for e in generate(loaded, workspace, asked, lambda: False)]
        calls = len(server.requests)
        # As after a kill between an answer and its example: what is asked is on record, so nobody is called.
        again = open_author(asked.settings, loaded, StoreCallLog(workspace.examples))
        for row in workspace.examples.each():
            person = workspace.examples.person(row.example.person_id)
            assert person is not None
            attempt = Attempt("a", row.example.scenario, 0, row.example.seed, person, row.example.id)
            assert (await again.write(attempt)).messages == row.example.messages
        await again.close()
    assert len(server.requests) == calls


async def test_what_does_not_show_its_situation_is_rejected_and_made_up_for(tmp_path: Path) -> None:
    model = Model(astray=2)
    async with FakeServer(model) as server:
        asked = params(server, tmp_path)
        events = [e async for e in generate(spec(), Workspace.open(tmp_path, "t"), asked, lambda: False)]
    rejected = [e.judgement.reasons for e in events if isinstance(e, ExampleScored) and not e.accepted]
    assert rejected.count(("off_scenario",)) == 2
    end = events[-1]
    assert isinstance(end, GenerateFinished) and end.complete and end.accepted == 10


async def test_an_answer_of_nothing_but_nulls_is_no_conversation_and_is_asked_for_again(tmp_path: Path) -> None:
    model = Model(empty=2)
    async with FakeServer(model) as server:
        asked = params(server, tmp_path).model_copy(update={"concurrency": 1})
        events = [e async for e in generate(spec(), Workspace.open(tmp_path, "t"), asked, lambda: False)]
        authored = [r for r in server.requests if r["model"] == "fake"]
    end = events[-1]
    assert isinstance(end, GenerateFinished) and end.complete and end.errors == 0
    assert len(authored) == model.written + 2
    assert "That is not valid" in authored[1]["messages"][-1]["content"]


def test_a_cost_that_is_not_known_is_not_told_as_nothing(tmp_path: Path) -> None:
    log = StoreCallLog(Workspace.open(tmp_path, "tester").examples)
    assert log.cost_usd() == 0
    known = CallRecord(key="1", purpose="author", model="m", response="{}", cost_usd=0.5, at=datetime.now(UTC))
    log.add_call(known)
    assert log.cost_usd() == 0.5 and log.call("1") == known and log.call("2") is None
    log.add_call(known.model_copy(update={"key": "2", "cost_usd": None}))
    assert log.cost_usd() is None


async def test_a_key_that_is_refused_ends_the_run_with_one_clear_line(tmp_path: Path) -> None:
    async with FakeServer(Model(), key="secret") as server:
        asked = params(server, tmp_path)
        with pytest.raises(ModelError) as caught:
            _ = [e async for e in generate(spec(), Workspace.open(tmp_path, "t"), asked, lambda: False)]
    assert caught.value.kind == "auth" and "\n" not in str(caught.value)
