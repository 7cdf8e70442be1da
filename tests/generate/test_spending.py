"""A run ends before it costs more than its budget, keeps what is done, and tells what was spent on whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.generate import CallFailed, GenerateFinished, GenerateParams, GenerateProgressed, generate
from studio.generate.spending import SpendingMeter
from studio.generate.types import Spending, SpentOn
from studio.llm import ModelError
from studio.llm.settings import Price
from studio.store import Workspace
from tests.generate.test_http import Model, params, spec
from tests.llm.fake_server import FakeServer

PRICE = Price(prompt=1.0, completion=1000.0)
"""A tenth of a cent a word of an answer; the author's longest answer is $2.05, the judge's half a dollar."""


def held(server: FakeServer, root: Path, usd: float | None, **more: Any) -> GenerateParams:
    asked = params(server, root)
    settings = asked.settings.model_copy(
        update={"price": PRICE, "judge_price": PRICE, "max_cost_usd": usd, **more.pop("settings", {})}
    )
    return asked.model_copy(update={"settings": settings, **more})


async def ended(workspace: Workspace, asked: GenerateParams) -> tuple[list[Any], ModelError | None]:
    events: list[Any] = []
    try:
        async for event in generate(spec(), workspace, asked, lambda: False):
            events.append(event)
    except ModelError as error:
        return events, error
    return events, None


async def test_a_budget_ends_the_run_with_one_line_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        events, error = await ended(workspace, held(server, tmp_path, 2.5))
        assert error is not None and error.kind == "budget" and "raise --max-cost" in str(error)
        assert not [event for event in events if isinstance(event, CallFailed)]
        end = events[-1]
        assert isinstance(end, GenerateFinished) and not end.complete and end.errors == 0
        assert end.note == str(error)
        spent = workspace.examples.spent()
        assert 0 < spent.cost_usd <= 2.5 and 0 < end.accepted < 10
        assert end.spending.spent_usd == pytest.approx(spent.cost_usd) and end.spending.limit_usd == 2.5
        paid = len(server.requests)
        assert spent.calls == paid

        events, error = await ended(workspace, held(server, tmp_path, 2.5))
        assert error is not None and len(server.requests) == paid, "a restart buys nothing more"

        events, error = await ended(workspace, held(server, tmp_path, 50.0))
        assert error is None and events[-1].complete
        assert len({repr(one["messages"]) for one in server.requests}) == len(server.requests), "nothing is paid twice"


async def test_a_model_of_unknown_price_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    asked = GenerateParams(spec_path="tester.yaml", workspace=str(tmp_path))
    settings = {"endpoint": "http://gateway.example/v1", "model": "m", "max_cost_usd": 1.0}
    asked = asked.model_copy(update={"settings": asked.settings.model_copy(update=settings)})
    with pytest.raises(UserError, match="no price is known of m"):
        await anext(generate(spec(), Workspace.open(tmp_path, "tester"), asked, lambda: False))


async def test_author_and_judge_are_told_apart_also_after_a_restart(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        events, _ = await ended(workspace, held(server, tmp_path, None))
    told = events[-1].spending
    assert (told.author.calls, told.judge.calls, told.unpriced) == (11, 11, 0)
    assert told.spent_usd == pytest.approx(workspace.examples.spent().cost_usd) and told.author.cost_usd > 0.3
    assert told.per_accepted_usd == pytest.approx(told.spent_usd / 10)
    assert told.projected_usd == pytest.approx(told.spent_usd), "nothing is missing"
    again = Workspace.open(tmp_path, "tester")
    read = SpendingMeter(again.examples).read(accepted=10, missing=10)
    assert (read.author, read.judge) == (told.author, told.judge)
    assert read.projected_usd == pytest.approx(2 * told.spent_usd)


async def test_what_has_no_known_price_is_counted_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.llm.settings.ModelSettings.local", False)  # as a gateway that no list knows
    workspace = Workspace.open(tmp_path, "tester")
    async with FakeServer(Model()) as server:
        dear = {"judge_price": None}
        events, _ = await ended(workspace, held(server, tmp_path, None, settings=dear))
    told = events[-1]
    assert told.spending.judge.unpriced == told.spending.unpriced == 11 and told.cost_usd is None
    assert told.spending.projected_usd is told.spending.per_accepted_usd is None
    again = SpendingMeter(Workspace.open(tmp_path, "tester").examples).read(10, 0)
    assert again.unpriced == 11 and again.cost_usd is None


def test_spending_is_one_line() -> None:
    author, judge = SpentOn(calls=3, cost_usd=1.0), SpentOn(calls=3, cost_usd=0.2)
    told = Spending(author=author, judge=judge, per_accepted_usd=0.012, projected_usd=2.4, limit_usd=5)
    assert told.line == "$1.20 of $5.00, about $2.40 in all, $0.012 an example (author $1.00, judge $0.20)"
    assert Spending().line == ""
    assert Spending(judge=SpentOn(calls=4, unpriced=4)).line == "4 calls of unknown price"
    assert GenerateProgressed.model_fields["spending"].default == Spending()
