"""The bank's files from the window: import after a dry run, export, twins removed and put back, the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.bank import read_people
from studio.store import Workspace
from studio.tui.screens.bank.screen import BankScreen
from tests.bank.making import WordVectors, person
from tests.tui.making import opened, press, shows, text_of, until
from tests.tui.outcomes import told


@pytest.fixture(autouse=True)
def cheap_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("measure", "twins"):
        monkeypatch.setattr(f"studio.tui.screens.bank.{module}.disk_embedder", WordVectors)


def store_of(folder: Path) -> Any:
    return Workspace.open(folder / "ws", "harbour").examples


async def type_path(pilot: Pilot[Any], path: Path) -> None:
    """As a paste would."""
    await pilot.press("ctrl+u")
    pilot.app.screen.focused.insert_text_at_cursor(str(path))  # type: ignore[union-attr]


async def test_a_file_is_told_of_before_anybody_is_kept(tmp_path: Path) -> None:
    lines = [json.dumps({"persona": f"A rigger who mends mast {number} and sings."}) for number in range(5)]
    file = tmp_path / "hub.jsonl"
    file.write_text("\n".join([*lines, '{"persona": 7}', "{broken"]) + "\n")
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["i", "enter"], "name the file")
        await type_path(pilot, tmp_path / "nowhere")
        await press(pilot, ["enter"], "there is no such file")
        await type_path(pilot, file)
        await press(pilot, ["enter"], "Import hub.jsonl?")
        await shows(pilot, "Persona Hub", "These are nobody:", "line 6", "line 7")
        await shows(pilot, "import 5 people, and leave out 2 bad records")
        assert store_of(tmp_path).people() == []
        await press(pilot, ["n"], "Nobody yet")
        assert store_of(tmp_path).people() == []
        await press(pilot, ["i", "enter"], "Import hub.jsonl?")
        await press(pilot, ["y"], "5 people  5 imported")
        await until(pilot, lambda: told(app) == "5 people imported")
    assert [one.method for one in store_of(tmp_path).people()] == ["import"] * 5


async def test_a_file_of_unknown_shape_says_what_to_fill_in(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"who": "A rigger who mends masts and sings.", "years": 40}) + "\n")
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["i"], "Import people from a file")
        await type_path(pilot, file)
        await press(pilot, ["enter"], "This file cannot be imported")
        await shows(pilot, "who, years", "NAME in fields")
        await press(pilot, ["n", "i", "down", *"who", "space", *"age=years"], "age=years")
        await press(pilot, ["enter"], "import 1 person")
        await press(pilot, ["y"], "1 person  1 imported")
    (one,) = store_of(tmp_path).people()
    assert (one.age, one.background) == (40, "A rigger who mends masts and sings.")


@pytest.mark.parametrize("ending", ["json", "jsonl", "parquet"])
async def test_those_shown_are_written_by_the_ending_of_the_name(tmp_path: Path, ending: str) -> None:
    app = opened(tmp_path)
    store_of(tmp_path).add_people(
        person(number, id=f"bank-{number:012x}", method="import" if number % 2 else "compose") for number in range(10)
    )
    out = tmp_path / f"people.{ending}"
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "10 people")
        await pilot.press("f", *"imported", "enter")
        await shows(pilot, "5 people  of 10: imported")
        await press(pilot, ["w"], "Write people to a file (imported)")
        await type_path(pilot, tmp_path / "people.doc")
        await press(pilot, ["enter"], "expected a name that ends in")
        await type_path(pilot, out)
        await pilot.press("enter")
        await until(pilot, lambda: told(app).startswith("5 people in "))
        await pilot.press("w")
        await type_path(pilot, out)
        await press(pilot, ["enter"], "is there already. Replace it?")
        await pilot.press("n")
    assert sorted(one.name for one in read_people(out)) == sorted(person(number).name for number in range(1, 10, 2))


async def test_twins_are_shown_before_they_go_and_are_put_back(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store, several = store_of(tmp_path), [person(number, id=f"bank-{number:012x}") for number in range(6)]
    twins = [one.model_copy(update={"id": f"bank-{9 + n:012x}", "name": "Twin"}) for n, one in enumerate(several[:2])]
    store.add_people([*several, *twins])
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "9 people")
        await press(pilot, ["d"], "nine tenths of their words or meaning")
        await press(pilot, ["d"], "2 people of 9 would go")
        await shows(pilot, "goes   Twin", f"stays  {several[0].name}", "1.00 words")
        await press(pilot, ["n"], "9 people")
        await pilot.press("d", "d")
        await shows(pilot, "2 people of 9 would go")
        await press(pilot, ["y"], "7 people")
        await until(pilot, lambda: told(app).startswith("2 people removed; u puts them back"))
        await pilot.press("slash", *several[0].name.split()[0].lower(), "enter")
        await press(pilot, ["J", "J"], "removed twin")
        await press(pilot, ["u"], "9 people")
        await pilot.press("u")
        await until(pilot, lambda: told(app) == "nobody was removed here")
    assert {one.id for one in store.people()} >= {one.id for one in twins}


async def test_the_report_is_measured_once_and_drawn(tmp_path: Path) -> None:
    app = opened(tmp_path)
    store_of(tmp_path).add_people(person(number) for number in range(60))
    other = tmp_path / "other.jsonl"
    other.write_text("".join(f"{person(number).model_dump_json()}\n" for number in range(100, 140)))
    async with app.run_test(size=(100, 50)) as pilot:
        await press(pilot, ["2"], "60 people")
        await press(pilot, ["v"], "Vendi score")
        await shows(pilot, "distinct-2", "compression ratio", "profession", "evenness", "━━━", "Harbour 60 people")
        screen = app.screen
        assert isinstance(screen, BankScreen)
        banks = screen._report._banks
        await press(pilot, ["v"], "1 of 60")
        await press(pilot, ["v"], "Vendi score")
        assert screen._report._banks is banks, "kept until the bank changes"
        await pilot.press("P")
        await until(pilot, lambda: told(app).startswith("the picture is "))
        await press(pilot, ["b"], "Beside which other bank?")
        await type_path(pilot, other)
        await press(pilot, ["enter"], "other.jsonl 40 people")
        await shows(pilot, "of 40 people drawn from each")
        await press(pilot, ["escape"], "1 of 60")
        store_of(tmp_path).add_people([person(99)])
        await shows(pilot, "61 people")
        await press(pilot, ["v"], "Harbour 61 people")
    picture = (tmp_path / "ws" / "harbour" / "diversity.svg").read_text()
    assert picture.startswith("<svg") and "60 people" in picture


async def test_what_takes_long_is_given_up_by_escape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    going, wait = threading.Event(), threading.Event()

    class Slow(WordVectors):
        def embed(self, texts: Any) -> Any:
            going.set()
            wait.wait(30)
            return super().embed(texts)

    monkeypatch.setattr("studio.tui.screens.bank.measure.disk_embedder", Slow)
    app = opened(tmp_path)
    store_of(tmp_path).add_people(person(number) for number in range(80))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "80 people")
        await press(pilot, ["v"], "measuring people 0 of 80, escape gives it up")
        await until(pilot, going.is_set)
        await pilot.press("escape")
        wait.set()
        await shows(pilot, "Not measured. v goes back to the list")
        await press(pilot, ["v"], "1 of 80")
        assert "measuring" not in text_of(app)
