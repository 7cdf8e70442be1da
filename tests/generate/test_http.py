"""The same against a server: author and judge over HTTP with structured output, and nothing paid for twice."""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from studio.errors import UserError
from studio.generate import (
    CallFailed,
    ExampleScored,
    GenerateFinished,
    GenerateParams,
    GenerateProgressed,
    generate,
    open_author,
)
from studio.generate.plan import Attempt
from studio.llm import ModelError, ModelSettings
from studio.llm.retry import RetryPolicy
from studio.spec import LoadedSpec
from studio.store import ExampleStore, Workspace
from tests.generate.making import loaded_spec
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Drop, Fault, Hang, Raw, Status, Truncate

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
    row = workspace.examples.row(rejected.example_id)
    assert "trait:kind" in rejected.reasons and row is not None and row.judgement is not None
    assert row.judgement.judge == "fake-judge"
    assert workspace.examples.spent().calls == 22


async def test_a_paid_answer_is_never_asked_for_again(tmp_path: Path) -> None:
    workspace, loaded = Workspace.open(tmp_path, "tester"), spec()
    async with FakeServer(Model()) as server:
        asked = params(server, tmp_path)
        _ = [e async for e in generate(loaded, workspace, asked, lambda: False)]
        calls = len(server.requests)
        # As after a kill between an answer and its example: what is asked is on record, so nobody is called.
        again = open_author(asked.settings, loaded, workspace.examples)
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
    rejected = [e.reasons for e in events if isinstance(e, ExampleScored) and not e.accepted]
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


def trouble(seed: int) -> Callable[[dict[str, Any]], Fault | None]:
    """5 % of 500s, 5 % of nonsense, 2 % cut off, 1 % hangs."""
    draw = Random(seed)
    kinds: list[tuple[float, Fault]] = [(0.05, Status(500)), (0.1, Raw(b"<html>")), (0.12, Truncate(9)), (0.13, Hang())]

    def one(body: dict[str, Any]) -> Fault | None:
        at = draw.random()
        return next((fault for share, fault in kinds if at < share), None)

    return one


async def test_single_troubles_of_a_server_end_no_run(tmp_path: Path) -> None:
    loaded = loaded_spec(scenarios={"a": {"target": 60, "items": ["a1", "a2"]}}, success={"examples": 60})
    server = FakeServer(Model(), every=trouble(3))
    async with server:
        asked = params(server, tmp_path)
        hasty = asked.settings.model_copy(update={"read_timeout": 0.3})
        asked = asked.model_copy(update={"settings": hasty, "concurrency": 24})
        events = [e async for e in generate(loaded, Workspace.open(tmp_path, "t"), asked, lambda: False)]
    end = events[-1]
    assert isinstance(end, GenerateFinished) and end.complete and end.accepted == 60
    failed = [event for event in events if isinstance(event, CallFailed)]
    assert end.errors == len(failed) and all(event.error for event in failed), "each with its reason"


async def test_an_outage_is_told_and_waited_out_and_costs_no_example(tmp_path: Path) -> None:
    server = FakeServer(Model())
    told: list[str] = []
    async with server:
        asked = params(server, tmp_path).model_copy(update={"concurrency": 8})
        scored = 0
        async for event in generate(spec(), Workspace.open(tmp_path, "t"), asked, lambda: False):
            scored += isinstance(event, ExampleScored)
            if scored == 4 and not told:
                server.every = lambda body: Drop()
            if isinstance(event, GenerateProgressed) and event.waiting is not None:
                told.append(event.flow)
                server.every = None
            last = event
    assert isinstance(last, GenerateFinished) and last.complete and last.errors == 0
    assert told and told[0].startswith("waiting for the server, ")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long before another try."""
    monkeypatch.setattr("studio.llm.retry.RetryPolicy", partial(RetryPolicy, first_wait=0.01, longest_wait=0.02))
    monkeypatch.setattr("studio.generate.again.WAITS_S", (0.01, 0.01, 0.01))


def asked_for(server: FakeServer, model: str = "fake") -> list[str]:
    return [json.dumps(one["messages"]) for one in server.requests if one["model"] == model]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fails", ["fake", "fake-judge"])
async def test_an_outage_of_500s_costs_no_example_though_one_is_asked_for_at_a_time(tmp_path: Path, fails: str) -> None:
    workspace, told, scored = Workspace.open(tmp_path, "t"), False, 0
    async with FakeServer(Model()) as server:
        asked = params(server, tmp_path).model_copy(update={"concurrency": 1})
        async for event in generate(spec(), workspace, asked, lambda: False):
            scored += isinstance(event, ExampleScored)
            if scored == 4 and not told:
                server.every = lambda body: Status(500) if body["model"] == fails else None
            if isinstance(event, GenerateProgressed) and event.waiting is not None:
                told, server.every = True, None
            last = event
        examples = len(set(asked_for(server)))
    assert isinstance(last, GenerateFinished) and last.complete and told
    assert (last.accepted, last.rejected, last.generated) == (10, 1, 11), "none was given up, and none made up for it"
    assert examples == workspace.examples.count() == 11
    assert workspace.examples.spent().calls == 22, "nothing was paid twice"
    assert sum(row.judgement is None or row.judgement.verdict == "error" for row in workspace.examples.each()) == 0


@pytest.mark.usefixtures("hasty")
async def test_one_request_that_no_server_answers_is_given_up_alone_and_the_last_one_is_tried_again_too(
    tmp_path: Path,
) -> None:
    tries: Counter[str] = Counter()
    waited = 0

    def refuses(body: dict[str, Any]) -> Fault | None:
        one = json.dumps(body["messages"])
        tries[one] += body["model"] == "fake"
        if list(tries).index(one) == 0:
            return Status(500, "it cannot bear this one")
        return Status(500) if list(tries).index(one) == 11 and tries[one] <= 6 else None

    async with FakeServer(Model(), every=lambda b: refuses(b) if b["model"] == "fake" else None) as server:
        asked = params(server, tmp_path).model_copy(update={"concurrency": 1})
        async for event in generate(spec(), Workspace.open(tmp_path, "t"), asked, lambda: False):
            waited += isinstance(event, GenerateProgressed) and event.waiting is not None
            last = event
    assert isinstance(last, GenerateFinished) and last.complete and not waited
    assert last.errors == 4 + 1, "each time that its retries were over"
    assert sorted(tries.values()) == [1] * 10 + [7, 16]


@pytest.mark.parametrize("twice", [False, True])
async def test_a_stop_says_how_many_are_awaited_and_a_second_one_cancels_them(tmp_path: Path, twice: bool) -> None:
    release, stopped, answered = asyncio.Event(), asyncio.Event(), Model()

    async def slowly(body: dict[str, Any]) -> dict[str, Any]:
        await release.wait()
        return answered(body)

    workspace, again = Workspace.open(tmp_path, "tester"), asyncio.Event()
    async with FakeServer(slowly) as server:
        awaited: list[str] = []
        events = generate(
            spec(), workspace, params(server, tmp_path), stopped.is_set, cancel=again.is_set, concurrency=lambda: 4
        )
        async for event in events:
            if len(server.requests) == 4:
                stopped.set()
            if isinstance(event, GenerateProgressed) and event.stopping:
                awaited.append(event.flow)
                (again if twice else release).set()
            last = event
        sent = len(server.requests)
    assert awaited[0] == "stopping, 4 answers awaited"
    assert isinstance(last, GenerateFinished) and last.note == "stopped; start it again to go on" and last.errors == 0
    assert (last.generated, workspace.examples.spent().calls, sent) == ((0, 0, 4) if twice else (4, 8, 8))


async def test_a_key_that_is_refused_ends_the_run_with_one_clear_line(tmp_path: Path) -> None:
    async with FakeServer(Model(), key="secret") as server:
        asked = params(server, tmp_path)
        with pytest.raises(ModelError) as caught:
            _ = [e async for e in generate(spec(), Workspace.open(tmp_path, "t"), asked, lambda: False)]
    assert caught.value.kind == "auth" and "\n" not in str(caught.value)


async def test_where_the_store_is_lost_what_is_under_way_comes_back_and_is_recorded_before_the_run_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, loaded, lost, model = Workspace.open(tmp_path, "tester"), spec(), asyncio.Event(), Model()
    authors, stored = iter(range(99)), []

    async def answer(body: dict[str, Any]) -> dict[str, Any]:
        if body["model"] == "fake" and next(authors):  # all but the first are under way when the disk fails
            await lost.wait()
        return model(body)

    def fails(*_: object) -> None:
        lost.set()
        stored.append("tried")
        raise OSError(errno.EIO, "Input/output error")

    async with FakeServer(answer) as server:
        asked = params(server, tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(ExampleStore, "add_example", fails)
            with pytest.raises(UserError) as caught:
                _ = [e async for e in generate(loaded, workspace, asked, lambda: False)]
        assert str(caught.value).count("Input/output error") == 1 and "\n" not in str(caught.value)
        begun = [one for one in server.requests if one["model"] == "fake"]
        assert len(begun) == asked.concurrency and server.answered == len(server.requests) == 4 + 1
        assert workspace.examples.spent().calls == server.answered, "each is on record"
        assert len(stored) == 1 and workspace.examples.count() == 0, "nothing new was judged"
        end = [e async for e in generate(loaded, workspace, asked, lambda: False)][-1]
        assert isinstance(end, GenerateFinished) and end.complete
        assert paid_once(server)


async def test_where_the_workspace_is_deleted_the_run_says_so_once_all_answers_are_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, loaded, model, draining = Workspace.open(tmp_path, "tester"), spec(), Model(), asyncio.Event()
    monkeypatch.setattr("studio.generate.run.drain", lambda on=True: draining.set() if on else None)

    async def answer(body: dict[str, Any]) -> dict[str, Any]:
        if len(server.requests) in (6, 7, 8):  # of four chains three wait while it is deleted
            await draining.wait()
        elif len(server.requests) == 9:
            shutil.rmtree(workspace.folder, ignore_errors=True)
        return model(body)

    async with FakeServer(answer) as server:
        with pytest.raises(UserError, match="deleted or replaced") as caught:
            _ = [e async for e in generate(loaded, workspace, params(server, tmp_path), lambda: False)]
        assert not isinstance(caught.value, ModelError)
        assert server.answered == len(server.requests) == 9, "nobody hung up on the server"


def paid_once(server: FakeServer) -> bool:
    asked = [json.dumps(one["messages"]) for one in server.requests]
    return len(asked) == len(set(asked))
