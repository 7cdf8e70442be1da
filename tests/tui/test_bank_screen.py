"""The bank: people by a job, looked through by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.bank import people_source
from studio.jobs import list_jobs
from studio.spec import load
from studio.store import Workspace
from studio.tui.text import cells
from tests.tui.making import PERSON, opened, press, shows, text_of, until
from tests.tui.outcomes import told


async def test_an_empty_bank_says_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet. Press s to compose people")


async def test_people_are_built_by_a_job_and_appear(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["s"], "How many composed people")
        await pilot.press("backspace", "backspace", "backspace", "6", "enter")
        await shows(pilot, "6 people", "finished")
        await shows(pilot, "bank✓")
        (job,) = list_jobs(tmp_path / "ws" / "harbour" / "jobs", "bank")
        await until(pilot, lambda: job.view().state == "finished")


async def test_a_person_is_found_and_shown_whole(tmp_path: Path) -> None:
    async with opened(tmp_path, 1).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Ida")
        await shows(pilot, "ferry mate", "sails at night", "in the bank")
        await press(pilot, ["slash"], "Find people")
        await pilot.press(*"ferry", "enter")
        await shows(pilot, "> Ida")
        await press(pilot, ["f"], "0 people  from the spec's profiles")
        await shows(pilot, "The spec's profiles made nobody yet")
        await press(pilot, ["f"], "1 person  in the bank")


async def test_columns_stand_under_each_other_whatever_the_script(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    store.examples.add_person(PERSON.model_copy(update={"id": "bank-2", "name": "山田太郎", "role": "港湾作業員"}))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "山田太郎")
        rows = [row for row in text_of(app).splitlines() if "sails at" in row][:2]
        assert len({cells(row[: row.index("sails at")]) for row in rows}) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        *((one, "that is no number of people") for one in ("x", "²", "-3")),
        ("99999999", "100000 composed people at most"),
    ],
)
async def test_a_number_that_is_none_is_refused_and_may_be_mended(tmp_path: Path, typed: str, said: str) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["s"], "How many composed people")
        await pilot.press("backspace", "backspace", "backspace", *("minus" if one == "-" else one for one in typed))
        await press(pilot, ["enter"], said)
        assert list_jobs(tmp_path / "ws" / "harbour" / "jobs") == []
        await pilot.press("ctrl+u", "5", "enter")
        await shows(pilot, "5 people  5 in the bank", "finished")


async def test_who_comes_from_the_recording_is_told_and_filtered(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    recorded = {"id": "recorded-1", "source": "recorded", "name": "Nils", "age": 41}
    store.examples.add_person(PERSON.model_copy(update=recorded))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2", "j"], "from the recording")
        await shows(pilot, "> Nils", "41")
        await press(pilot, ["f", "f", "f"], "1 person  from the recording")
        await press(pilot, ["f"], "Nobody came from there yet")


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
        await press(pilot, ["2"], "4 people  1 in the bank, 3 came with generating  bank never built")


async def test_built_people_are_removed_but_for_those_an_example_names(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    for number in range(5):
        store.examples.add_person(PERSON.model_copy(update={"id": f"bank-of-{number}", "name": f"Ruth {number}"}))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "6 people  6 in the bank")
        await press(pilot, ["d"], "Those whom an example refers to stay")
        await press(pilot, ["n"], "6 people  6 in the bank")
        await press(pilot, ["d", "y"], "1 person  1 in the bank")
        await shows(pilot, "Ida")
        await until(pilot, lambda: told(app) == "5 people removed")
