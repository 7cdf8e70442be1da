"""Collapse: worn openings are found, told to the author, and asked the same again after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from studio.bank.people import ANYBODY
from studio.chatml import Messages, assistant, user
from studio.generate import generate, read_recordings
from studio.generate.author import author_request
from studio.generate.collapse import EVERY, LEAST, WINDOW, CollapseMeter, OpeningsWorn, Worn, avoid_text
from studio.generate.plan import Attempt
from studio.generate.types import GenerateParams, GenerateProgressed
from studio.llm import ModelSettings
from studio.store import Workspace
from tests.generate.making import taskmaster, wren
from tests.llm.fake_server import FakeServer


def said(reply: str) -> Messages:
    return user("hello"), assistant(reply)


def varied(number: int) -> str:
    """A reply of its own words."""
    return " ".join(f"w{number}x{at}" for at in range(8))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with closing(Workspace.open(tmp_path, "wren")) as opened:
        yield opened


def test_replies_that_begin_alike_are_worn_and_others_are_not() -> None:
    meter = CollapseMeter(())
    told = [meter.add(said(f"Oh what a {varied(n)}" if n % 2 else varied(n))) for n in range(60)]
    news = [one for one in told if one is not None]
    assert news[0].openings == ("oh what a",) and news[0].window >= LEAST and 0.4 < news[0].share <= 0.6
    assert len(news) == 1, "told when it changes, and not again"
    assert CollapseMeter(()).add(said("Oh what a day")) is None


def test_what_the_spec_prefers_may_come_back() -> None:
    meter = CollapseMeter(("Good eye", "That plant is not lost"))
    meter.fill(said(f"Good eye: {varied(n)}. That plant is not lost") for n in range(60))
    assert meter.told.openings == () and meter.told.runs == ()
    assert meter.told.distinct_2 is not None and meter.told.distinct_2 == 1


def test_runs_and_a_poor_choice_of_words_are_told() -> None:
    meter = CollapseMeter(())
    meter.fill(said(f"{varied(n)} take it one step at a time") for n in range(60))
    assert "take it one step" in meter.told.runs and not meter.told.openings
    meter.fill(said("the same old words again") for _ in range(WINDOW))
    assert meter.told.distinct_2 is not None and meter.told.distinct_2 < 0.1
    assert "different word pairs" in meter.told.line and "the same old" in meter.told.line


def test_an_opening_that_went_out_of_the_window_is_no_longer_worn() -> None:
    meter = CollapseMeter(())
    meter.fill(said(f"Oh what a {varied(n)}") for n in range(30))
    news = [one for n in range(WINDOW + EVERY) if (one := meter.add(said(varied(n)))) is not None]
    assert news[-1].openings == ()


def test_recordings_written_by_hand_are_no_collapse() -> None:
    for loaded in (wren(), taskmaster()):
        meter = CollapseMeter(loaded.spec.vocabulary.prefer)
        meter.fill(one.messages for one in read_recordings(loaded))
        assert meter.told.line == ""


def test_an_attempt_is_told_the_same_before_and_after_a_kill(workspace: Workspace) -> None:
    worn = Worn(workspace)
    assert worn.begin("first") == ()
    worn.change(("oh what a",))
    assert worn.begin("first") == (), "asked again in this run"
    assert worn.begin("second") == ("oh what a",)
    worn.change(("well then so",))
    assert worn.begin("third") == ("well then so",)
    after = Worn(workspace)  # killed with all three under way
    told = [after.begin(name) for name in ("first", "second", "third", "fourth")]
    assert told == [(), ("oh what a",), ("well then so",), ("well then so",)]
    after.end("second")
    after.change(())
    assert Worn(workspace).begin("first") == () and Worn(workspace).begin("third") == ("well then so",)


def test_an_author_is_told_openings_and_nothing_where_none_is_worn() -> None:
    assert avoid_text(()) == "" and '"oh what a ..."' in avoid_text(("oh what a",))


class Monotone:
    """Writes replies that all begin alike, unless it is told not to."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.number = 0

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        form = body["response_format"]["json_schema"]["schema"]["properties"]
        if "messages" not in form:
            mark = {"rationale": "It shows.", "quote": "", "score": 2}
            steps = {step.step: True for step in wren().spec.patterns}
            traits = dict.fromkeys(wren().spec.trait_names, mark)
            return {"shows_scenario": True, "violations": [], "steps": steps, "preferred": [], "traits": traits}
        text = body["messages"][-1]["content"]
        self.number += 1
        if "Do not begin the persona's reply with" in text:
            self.told.append(text)
        reply = varied(self.number) if "oh what a" in text else f"Oh what a {varied(self.number)}"
        return {
            "messages": [{"role": "user", "content": varied(-self.number)}, {"role": "assistant", "content": reply}]
        }


async def test_generating_tells_of_it_and_the_author_hears_of_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.generate.progress._EVERY_S", 0.0)  # a run this short is over before it tells twice
    model = Monotone()
    async with FakeServer(model) as server:
        settings = ModelSettings(endpoint=server.url, model="fake")
        params = GenerateParams(spec_path="", workspace="", settings=settings, examples=60, concurrency=2)
        events = [event async for event in generate(wren(), workspace, params, lambda: model.number >= 45)]
    news = [event for event in events if isinstance(event, OpeningsWorn)]
    assert news and news[0].openings == ("oh what a",)
    assert len(model.told) >= 5 and all("oh what a ..." in one for one in model.told)
    told = [event for event in events if isinstance(event, GenerateProgressed)]
    assert told and "worn openings" in told[-1].worn
    kept = [row.example for row in workspace.examples.rows(limit=200)]
    assert any("Do not begin" in one.prompt[-1].content for one in kept), "what it was sent is kept with it"


def test_an_attempt_without_more_asks_as_before() -> None:
    """So that answers on record from before are found again."""

    attempt = Attempt("watering", "A plant droops", 0, 1, ANYBODY, "id")
    plain, more = (
        author_request(wren(), one)
        for one in (attempt, Attempt(*("watering", "A plant droops", 0, 1, ANYBODY, "id"), more=("Be brief.",)))
    )
    assert "Be brief." in more.messages[-1].content
    assert more.messages[-1].content.replace("Be brief.\n\n", "") == plain.messages[-1].content
