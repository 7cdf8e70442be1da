"""A preview shows what will be asked, makes just that, and reckons what the whole will take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.generate import GenerateFinished, GenerateParams, generate
from studio.generate.preview import PreviewMeter, next_prompts
from studio.store import Workspace
from tests.generate.test_http import Model, params, spec
from tests.generate.test_spending import held
from tests.llm.fake_server import FakeServer


async def made(workspace: Workspace, asked: GenerateParams) -> GenerateFinished:
    events: list[Any] = [event async for event in generate(spec(), workspace, asked, lambda: False)]
    assert isinstance(events[-1], GenerateFinished)
    return events[-1]


async def test_just_what_was_shown_is_asked_and_the_rest_of_the_run_asks_none_of_it_again(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        asked = params(server, tmp_path)
        preview = asked.model_copy(update={"preview": 4, "concurrency": 1})
        shown = next_prompts(spec(), workspace, preview)
        assert len(shown) == 4 and server.requests == [] and workspace.examples.count() == 0
        assert {one.scenario for one in shown} == {"a1", "a2"} and all(one.person for one in shown)
        end = await made(workspace, preview)
        assert not end.complete and end.generated == 4
        sent = [body["messages"] for body in server.requests if body["model"] == "fake"]
        assert sent == [[message.model_dump() for message in one.messages] for one in shown]
        again = next_prompts(spec(), workspace, preview)
        assert not {one.messages for one in again} & {one.messages for one in shown}
        assert (await made(workspace, asked)).complete
        bodies = [repr(body["messages"]) for body in server.requests]
    assert len(bodies) == len(set(bodies)), "what was made for the preview is kept"


async def test_the_whole_is_reckoned_from_what_the_preview_took(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        asked = held(server, tmp_path, None, preview=4)
        meter = PreviewMeter(spec(), workspace, asked)
        assert meter.read(()).projection is None
        await made(workspace, asked)
        found = meter.read(next_prompts(spec(), workspace, asked))
    assert (found.made, found.accepted) == (4, 3), "the third is rejected"
    assert (found.author.calls, found.judge.calls) == (4, 4)
    whole = found.projection
    assert whole is not None and (whole.missing, whole.attempts, whole.calls) == (7, 10, 20)
    spent = workspace.examples.spent()
    assert whole.cost_usd == pytest.approx(spent.cost_usd / 4 * 10)
    assert whole.prompt_tokens == round(spent.prompt_tokens / 4 * 10)
    assert whole.seconds == pytest.approx(spent.seconds / 4 * 10 / 4) and whole.at_once == 4


async def test_of_an_unknown_price_no_cost_is_reckoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.llm.settings.ModelSettings.local", False)
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        asked = held(server, tmp_path, None, preview=2, settings={"judge_price": None})
        meter = PreviewMeter(spec(), workspace, asked)
        await made(workspace, asked)
    projection = meter.read(()).projection
    assert projection is not None and projection.cost_usd is None and projection.calls == 16


async def test_fewer_are_shown_where_fewer_are_missing(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        asked = params(server, tmp_path).model_copy(update={"examples": 3, "preview": 9})
        assert len(next_prompts(spec(), workspace, asked)) == 3


def test_where_no_model_writes_there_is_nothing_to_show(tmp_path: Path) -> None:
    asked = GenerateParams(spec_path="tester.yaml", workspace=str(tmp_path), preview=5)
    with pytest.raises(UserError, match="no model is asked"):
        next_prompts(spec(), Workspace.open(tmp_path, "tester"), asked)
