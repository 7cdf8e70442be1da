"""The list of what a run over items has made, of any kind of record, and how many of them are read for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.inference import Record
from studio.store import Workspace
from studio.tui.dialogs.records import Kind, Records
from tests.tui.making import opened, press, shows, text_of, until


class Query(Record):
    """One of a kind."""

    asks: str

    @property
    def title(self) -> str:
        return self.asks


async def test_records_are_read_as_they_are_looked_at(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    workspace = Workspace.open(tmp_path / "ws", "harbour")
    for number in range(300):
        workspace.documents.put("query", f"q{number}", Query(id=f"q{number}", asks=f"Where is berth {number}?\x1b[2J"))
    chosen: list[str | None] = []
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Ida")
        kind = Kind(workspace.documents, "query", Query)
        app.push_screen(Records("Queries", kind, "open it"), chosen.append)
        await shows(pilot, "Queries  1 of 300", "> Where is berth 0?", "id          q0")
        await press(pilot, ["G"], "> Where is berth 299?")
        await shows(pilot, "300 of 300", "q299")
        assert "\x1b" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: chosen == ["q299"])
        app.push_screen(Records("Answers", Kind(workspace.documents, "answer", Query)))
        await press(pilot, [], "Nothing was made yet.")
        await press(pilot, ["escape"], "> Ida")


def test_a_document_is_found_by_its_place(tmp_path: Path) -> None:
    documents = Workspace.open(tmp_path, "harbour").documents
    for kind, id in (("a", "x"), ("b", "x"), ("a", "y"), ("a", "z")):
        documents.put(kind, id, Query(id=id, asks="?"))
    assert [documents.index_of("a", id) for id in ("x", "y", "z", "w")] == [0, 1, 2, None]
    assert documents.index_of("b", "y") is None
    assert [one.id for one in documents.stretch("a", Query, 1, 5)] == ["y", "z"]


@pytest.mark.parametrize("kind", ["a", ""])
def test_nothing_has_no_place(tmp_path: Path, kind: str) -> None:
    documents = Workspace.open(tmp_path, "harbour").documents
    assert documents.index_of(kind, "x") is None and documents.stretch(kind, Query, 0, 5) == []
