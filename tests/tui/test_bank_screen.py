"""The bank: a list of any length, filtered and searched where it lies, and what is known of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.bank import people_source
from studio.spec import load
from studio.store import Workspace
from studio.store.records import Person
from studio.tui.text import cells
from studio.tui.widgets.virtual_list import VirtualList
from tests.tui.making import PERSON, opened, press, shows, text_of, until
from tests.tui.outcomes import told


def store_of(folder: Path) -> Workspace:
    return Workspace.open(folder / "ws", "harbour")


def another(number: int, **changes: Any) -> Person:
    changes = {"id": f"bank-of-{number}", "name": f"Ruth {number}", **changes}
    return PERSON.model_copy(update=changes)


async def test_an_empty_bank_says_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet. Press s to make people, i to import them")


async def test_a_hundred_thousand_people_are_not_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path)
    workspace = store_of(tmp_path)
    workspace.examples.add_people(another(number) for number in range(100_000))
    read: list[int] = []
    whole = Person.model_validate_json.__func__  # type: ignore[attr-defined]

    def counting(cls: type[Person], /, body: str, **more: Any) -> Person:
        read.append(1)
        made: Person = whole(cls, body, **more)
        return made

    monkeypatch.setattr(Person, "model_validate_json", classmethod(counting))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "100,000 people  100,000 composed")
        await shows(pilot, "> Ruth 0", "1 of 100,000")
        assert len(read) <= 256, "a few pages of 64"
        await press(pilot, ["G"], "> Ruth 99999")
        await press(pilot, ["slash"], "Find people")
        await pilot.press(*"77123", "enter")
        await shows(pilot, "> Ruth 77123", '"77123" 1 of 1')
        assert len(read) <= 1024
        assert app.screen.query_one("#people", VirtualList).count == 100_000


async def test_a_person_is_found_and_shown_whole(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    workspace = store_of(tmp_path)
    child = {"method": "relations", "parents": ("bank-1",), "root": "bank-1", "relation": "patient", "hop": 1}
    workspace.examples.add_person(another(2, name="Olga", model="fake", seed=7, extreme=True, **child))
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, ["2"], "Ida")
        await shows(pilot, "ferry mate", "sails at night", "in the bank", "3 examples: t opens them in triage")
        await press(pilot, ["j", "J"], "Olga")
        await shows(pilot, "patient, hop 1", "related to others, fake, seed 7", "parents     Ida")
        await press(pilot, ["k", "slash"], "Find people")
        await pilot.press(*"olg FERRY", "enter")
        await shows(pilot, "> Olga", '"olg FERRY" 1 of 1')
        await pilot.press("slash", *(["backspace"] * 9), *"nowhere", "enter")
        await until(pilot, lambda: told(app) == "nobody shown here has nowhere")


async def test_the_examples_of_a_person_open_in_triage(tmp_path: Path) -> None:
    app = opened(tmp_path, 4)
    store_of(tmp_path).examples.add_person(another(1))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "4 examples")
        await press(pilot, ["t"], "of bank-1 1 of 4")
        await press(pilot, ["2", "j"], "none yet")
        await press(pilot, ["t"], "Nothing passes this filter")


async def test_filters_add_up_and_say_how_many_they_show(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = store_of(tmp_path).examples
    store.add_person(another(1, method="write", extreme=True, language="de"))
    store.add_person(another(2, method="write", name="Nils", language="de"))
    store.add_person(another(3, id="recorded-1", source="recorded", method="", name="Otto"))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "4 people  2 written by a model, 1 composed, 1 from the recording")
        await press(pilot, ["f"], "in the bank (3)")
        await shows(pilot, "everybody (4)", "from the recording (1)", "written by a model (2)", "extreme people (1)")
        await pilot.press(*"written", "enter")
        await shows(pilot, "2 people  of 4: written by a model")
        await press(pilot, ["f"], "first language de (2)")
        assert "from the recording" not in text_of(app), "nobody there was written by a model"
        await pilot.press(*"extreme", "enter")
        await shows(pilot, "1 person  of 4: written by a model, extreme")
        await press(pilot, ["escape"], "4 people  2 written")
        await press(pilot, ["f"], "everybody")
        await pilot.press(*"nils", "enter")
        await shows(pilot, '1 person  of 4: with "nils"', "> Nils")
        await pilot.press("f", *"zzz", "enter")
        await shows(pilot, "Nobody passes this filter")


async def test_a_filter_is_there_again_after_a_restart(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store_of(tmp_path).examples.add_people(another(number, method="import") for number in range(30))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "31 people")
        await pilot.press("f", *"imported", "enter")
        await press(pilot, ["G"], "> Ruth 29")
        await pilot.press("ctrl+q")
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "> Ruth 29")
        await shows(pilot, "30 people  of 31: imported", "30 of 30")


async def test_columns_stand_under_each_other_whatever_the_script(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    store.examples.add_person(PERSON.model_copy(update={"id": "bank-2", "name": "山田太郎", "role": "港湾作業員"}))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "山田太郎")
        rows = [row for row in text_of(app).splitlines() if "sails at" in row][:2]
        assert len({cells(row[: row.index("sails at")]) for row in rows}) == 1


async def test_people_are_found_by_their_background(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    other = {"id": "bank-2", "name": "Ruth", "background": "orders the silver dye"}
    store.examples.add_person(PERSON.model_copy(update=other))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Ruth")
        await press(pilot, ["slash"], "Find people")
        await pilot.press(*"silver", "enter")
        await shows(pilot, "> Ruth")


async def test_who_came_with_generating_is_not_called_built(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    for person in people_source(load(tmp_path / "harbour.yaml")).people[:3]:
        store.examples.add_person(person)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "4 people  3 came with generating, 1 composed")


async def test_built_people_are_removed_but_for_those_an_example_names(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    for number in range(5):
        store.examples.add_person(PERSON.model_copy(update={"id": f"bank-of-{number}", "name": f"Ruth {number}"}))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "6 people  6 composed")
        await press(pilot, ["D"], "Those whom an example refers to stay")
        await press(pilot, ["n"], "6 people  6 composed")
        await press(pilot, ["D", "y"], "1 person  1 composed")
        await shows(pilot, "Ida")
        await until(pilot, lambda: told(app) == "5 people removed")
