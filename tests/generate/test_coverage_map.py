"""Coverage tables: counted by the store, of what stands accepted; and a cell that is filled over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from studio.bank.people import ANYBODY
from studio.errors import UserError
from studio.generate.author import author_request
from studio.generate.coverage_chart import figure, heat, svg
from studio.generate.coverage_map import Cell, CoverageMap, coverage_map, length_band
from studio.generate.focus import Focus, FocusParams, focus_text, held_to, write_focused
from studio.generate.plan import Attempt
from studio.inference import ItemsFinished
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Filter, Person, Workspace
from studio.store.records import Decision
from tests.generate.making import wren
from tests.llm.fake_server import FakeServer
from tests.small_persona import copy_to
from tests.tui.making import WHEN, fill, write_spec

DEPTH = ("depths", "Ask for depth")


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Workspace]:
    with closing(fill(tmp_path / "ws", load(write_spec(tmp_path)), 10)) as workspace:
        yield workspace


def row_of(table: CoverageMap, scenario: str) -> dict[str, Cell]:
    (row,) = (one for one in table.rows if one.scenario == scenario)
    return dict(zip(table.columns, row.cells, strict=True))


def test_a_trait_has_its_mean_mark_and_how_many_show_it(harbour: Workspace, tmp_path: Path) -> None:
    table = coverage_map(load(write_spec(tmp_path)), harbour, "trait")
    assert row_of(table, "Ask for depth") == {"calm": Cell(n=5, mean=2.0), "exact": Cell(n=0, mean=1.0)}
    assert row_of(table, "Ask for tide") == {"calm": Cell(), "exact": Cell()}
    assert [row.accepted for row in table.rows] == [5, 0, 3] and table.accepted == 8
    at = [row.scenario for row in table.rows].index("Ask for depth")
    assert (table.want(at, 0), table.want(at, 1)) == (0, 4), "a row is to show a trait throughout"
    assert (figure(table, at, 1), heat(table, at, 1)) == ("1.0", 0.5)


def test_who_asks_is_told_by_age_source_and_method(harbour: Workspace, tmp_path: Path) -> None:
    loaded = load(write_spec(tmp_path))
    table = coverage_map(loaded, harbour, "person")
    assert table.columns == ("under 18", "18-29", "30-44", "45-64", "65 up", "no age", "bank", "by compose")
    found = row_of(table, "Ask for depth")
    assert found["no age"].n == found["bank"].n == found["by compose"].n == 5 and found["18-29"].n == 0


def test_length_is_that_of_the_reply_as_it_stands(harbour: Workspace, tmp_path: Path) -> None:
    loaded = load(write_spec(tmp_path))
    assert row_of(coverage_map(loaded, harbour, "length"), "Ask for depth")["to 150"].n == 5
    row = harbour.examples.rows(Filter(status="accepted", scenario="Ask for depth"), limit=1)[0]
    edited = (row.messages[0], row.messages[1].model_copy(update={"content": "x" * 400}))
    harbour.examples.decide(Decision(example_id=row.example.id, action="edit", messages=edited, at=WHEN))
    found = row_of(coverage_map(loaded, harbour, "length"), "Ask for depth")
    assert (found["to 150"].n, found["to 600"].n) == (4, 1)
    with pytest.raises(UserError, match="no length"):
        length_band("to 7")


def test_the_picture_is_well_formed_whatever_a_scenario_is_called(harbour: Workspace, tmp_path: Path) -> None:
    table = coverage_map(load(write_spec(tmp_path)), harbour, "trait")
    hostile = table.model_copy(update={"rows": (table.rows[0].model_copy(update={"scenario": "<b>&\x1b[31m"}),)})
    root = ElementTree.fromstring(svg(hostile, "<Harbour>"))
    assert "\x1b" not in "".join(root.itertext()) and "<b>&" in "".join(root.itertext())


def test_an_author_is_told_of_the_trait_its_anchors_and_the_pattern() -> None:
    told = focus_text(wren().spec, Focus(trait="practical", pattern="in 7 of 9 replies it is missing"))
    assert "one quality above all: practical" in told and "One clear step" in told and "in 7 of 9" in told
    assert "no_blame" not in told and "Blames the user" in focus_text(wren().spec, Focus(boundary="no_blame"))
    assert "151 to 300 characters" in focus_text(wren().spec, Focus(least=151, most=300))
    for wrong in (Focus(trait="none"), Focus(boundary="none")):
        with pytest.raises(UserError, match="the spec has no"):
            focus_text(wren().spec, wrong)
    attempt = Attempt("watering", "A plant droops", 0, 1, ANYBODY, "id", more=(told,))
    assert told in author_request(wren(), attempt).messages[-1].content


class Writer:
    """Writes what it is told of: of those for ``practical`` every other one shows it."""

    def __init__(self) -> None:
        self.written = 0
        self.asked: list[str] = []

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        spec, text = wren().spec, body["messages"][-1]["content"]
        if "messages" in body["response_format"]["json_schema"]["schema"]["properties"]:
            self.asked.append(text)
            self.written += 1
            words = " ".join(f"w{self.written}x{at}" for at in range(9))
            shows = "Do this" if self.written % 2 else "Hm"
            return {
                "messages": [{"role": "user", "content": words}, {"role": "assistant", "content": f"{shows} {words}"}]
            }
        marks = {name: {"rationale": "", "quote": "", "score": 2} for name in spec.trait_names}
        marks["practical"] = {"rationale": "", "quote": "", "score": 2 if "Do this" in text else 1}
        steps = {step.step: True for step in spec.patterns}
        return {"shows_scenario": True, "violations": [], "steps": steps, "preferred": [], "traits": marks}


async def test_a_cell_is_filled_with_what_shows_the_trait_and_a_run_goes_on(tmp_path: Path) -> None:
    loaded, writer = load(copy_to(tmp_path)), Writer()
    with closing(Workspace.open(tmp_path / "ws", "wren")) as workspace:
        async with FakeServer(writer) as server:
            params = FocusParams(
                spec_path=str(loaded.path),
                workspace=str(tmp_path / "ws"),
                settings=ModelSettings(endpoint=server.url, model="fake"),
                concurrency=1,
                name="cell 1",
                focus=Focus(trait="practical"),
                scenarios=(("care", "Repotting"),),
                count=3,
            )
            few = [one async for one in write_focused(loaded, workspace, params, lambda: writer.written >= 2)]
            asked = len(writer.asked)
            assert isinstance(few[-1], ItemsFinished) and 0 < few[-1].done < 3
            events = [one async for one in write_focused(loaded, workspace, params, lambda: False)]
            end = events[-1]
            assert isinstance(end, ItemsFinished) and end.complete and end.reasons.get("trait:practical")
            assert len(set(writer.asked)) == len(writer.asked) > asked, "none is asked twice"
        rows = workspace.examples.rows(Filter(status="accepted"), limit=50)
        assert [row.example.scenario for row in rows] == ["Repotting"] * 3
        assert all(row.judgement and row.judgement.traits["practical"].score == 2 for row in rows)
        assert row_of(coverage_map(loaded, workspace, "trait"), "Repotting")["practical"] == Cell(n=3, mean=2.0)
        judged = rows[0].judgement
        assert judged is not None and held_to(Focus(most=5), judged, rows[0].messages).reasons == ("length",)


async def test_a_group_that_nobody_is_of_is_said(tmp_path: Path) -> None:
    loaded = load(copy_to(tmp_path))
    with closing(Workspace.open(tmp_path / "ws", "wren")) as workspace:
        workspace.examples.add_person(Person(id="p", source="bank", name="Ada", method="write", age=70))
        params = FocusParams(
            spec_path=str(loaded.path),
            workspace=str(tmp_path / "ws"),
            settings=ModelSettings(endpoint="http://127.0.0.1:9/v1", model="fake"),
            name="nobody",
            focus=Focus(group="by relations"),
            scenarios=(("care", "Repotting"),),
            count=1,
        )
        with pytest.raises(UserError, match="nobody who asks is of by relations"):
            _ = [one async for one in write_focused(loaded, workspace, params, lambda: False)]
