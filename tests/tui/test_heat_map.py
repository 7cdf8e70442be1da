"""The heat map in the window: a cell under the cursor, other tables by a key, and enter that fills it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.making import opened, press, shows, until
from tests.tui.outcomes import told


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_scenarios_stand_against_traits_people_and_lengths(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, 10).run_test(size=size) as pilot:
        await press(pilot, ["3"], "accepted  8 of 12")
        await press(pilot, ["m"], "scenario by trait")
        await shows(pilot, "Ask for depth", "calm", "2.0", "1.0", "8 examples", "5 with a full mark of 5")
        await press(pilot, ["l"], "exact, 0 with a full mark of 5; enter writes 4")
        await press(pilot, ["p"], "scenario by person")
        await shows(pilot, "18-29", "bank")
        await press(pilot, ["c"], "scenario by length")
        await shows(pilot, "to 1")
        await press(pilot, ["j"], "Ask for tide: to 150, 0 of 0")
        await press(pilot, ["escape"], "Question 009")


async def test_a_cell_that_nobody_can_write_for_says_so(tmp_path: Path) -> None:
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "accepted  8 of 12")
        await press(pilot, ["m"], "scenario by trait")
        await pilot.press("l", "enter")
        await until(pilot, lambda: "needs a model to ask" in told(app))
        assert not list(tmp_path.rglob("*targeted*"))


async def test_improving_without_a_run_says_what_comes_first(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["6"], "No run was trained")
        await pilot.press("i")
        await until(pilot, lambda: "train one first" in told(pilot.app))  # type: ignore[arg-type]
