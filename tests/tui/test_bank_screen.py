"""The bank: people by a job, looked through by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.jobs import list_jobs
from studio.store import Workspace
from studio.tui.text import cells
from tests.tui.making import PERSON, opened, press, shows, text_of, until


async def test_an_empty_bank_says_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet. Press s to build people")


async def test_people_are_built_by_a_job_and_appear(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["s"], "How many built-in people")
        await pilot.press("backspace", "backspace", "backspace", "6", "enter")
        await shows(pilot, "6 people", "finished")
        await shows(pilot, "bank✓")
        (job,) = list_jobs(tmp_path / "ws" / "harbour" / "jobs", "bank")
        await until(pilot, lambda: job.view().state == "finished")


async def test_a_person_is_found_and_shown_whole(tmp_path: Path) -> None:
    async with opened(tmp_path, 1).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Ida")
        await shows(pilot, "ferry mate", "sails at night", "from the built-in components")
        await press(pilot, ["slash"], "Find people")
        await pilot.press(*"ferry", "enter")
        await shows(pilot, "> Ida")
        await press(pilot, ["f"], "0 people from the spec's profiles")
        await press(pilot, ["f"], "1 person from the built-in components")


async def test_columns_stand_under_each_other_whatever_the_script(tmp_path: Path) -> None:
    app = opened(tmp_path, 1)
    store = Workspace.open(tmp_path / "ws", "harbour")
    store.examples.add_person(PERSON.model_copy(update={"id": "bank-2", "name": "山田太郎", "role": "港湾作業員"}))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "山田太郎")
        rows = [row for row in text_of(app).splitlines() if "sails at" in row][:2]
        assert len({cells(row[: row.index("sails at")]) for row in rows}) == 1


@pytest.mark.parametrize("typed", ["x", "²", "-3"])
async def test_a_number_that_is_none_is_refused(tmp_path: Path, typed: str) -> None:
    async with opened(tmp_path).run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["s"], "How many built-in people")
        await pilot.press("backspace", "backspace", "backspace", *("minus" if one == "-" else one for one in typed))
        await pilot.press("enter")
        await shows(pilot, "that is no number of people")
        assert list_jobs(tmp_path / "ws" / "harbour" / "jobs") == []
