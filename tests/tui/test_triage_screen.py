"""Triage: moving, deciding, taking back, filtering, and what is on the disk afterwards."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.spec import load
from studio.store import Filter, Workspace
from studio.triage import REASONS, Triage, sample_ids
from studio.tui import StudioApp
from studio.tui.disk import Disk
from studio.tui.screens.triage import TriageScreen
from studio.tui.widgets.row_list import RowList
from tests.tui.making import opened, press, shows, text_of, until, window


def rows_of(app: StudioApp) -> RowList:
    assert isinstance(app.screen, TriageScreen)
    return app.screen.rows


def store_of(folder: Path) -> Workspace:
    return Workspace.open(folder / "ws", load(folder / "harbour.yaml").spec.slug)


async def test_the_list_and_the_detail_move_together(tmp_path: Path) -> None:
    async with opened(tmp_path, 200).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["j", "j"], "weather: Ask for wind")
        await press(pilot, ["G"], "Question 199, how deep is it?")
        await press(pilot, ["g"], "1 of 200")


async def test_a_decision_is_saved_before_it_is_called_so(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["r"], "Reject it because")
        first = next(line for line in text_of(pilot.app).splitlines() if "Reject it because" in line)
        assert first
        await pilot.press("escape")
        await press(pilot, ["j", "j", "j", "j", "a"], "saved: accepted")
        row = store_of(tmp_path).examples.row("ex00004")
        assert row is not None and row.status == "accepted" and row.decision is not None
        await shows(pilot, "9 accepted 1 rejected", "6 of 10")


async def test_reject_takes_its_reason_with_one_key(tmp_path: Path) -> None:
    key, (slug, label) = next(iter(REASONS.items()))
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["r"], label)
        await press(pilot, [key], f"saved: rejected: {slug}")
        await shows(pilot, "7 accepted 3 rejected")
    row = store_of(tmp_path).examples.row("ex00000")
    assert row is not None and row.decision is not None and row.decision.reason == slug


async def test_undo_and_redo_survive_a_restart(tmp_path: Path) -> None:
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4", "j", "j", "j", "j"], "5 of 10")
        await press(pilot, ["a"], "9 accepted 1 rejected")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "6 of 10")
        await press(pilot, ["u"], "took back: accept")
        await shows(pilot, "8 accepted 2 rejected", "5 of 10")
        await press(pilot, ["U"], "9 accepted 1 rejected")


async def test_an_edit_shows_both_versions_and_accepts(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "The reply as it ought to be")
        await pilot.press("end", *"Fair winds.")
        await press(pilot, ["ctrl+o"], "saved: edited")
        await pilot.press("g")
        await shows(pilot, "steady as she goes.Fair winds.", "before the edit")
    row = store_of(tmp_path).examples.row("ex00000")
    assert row is not None and row.messages[-1].content.endswith("Fair winds.")


async def test_an_edit_that_is_left_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "The reply as it ought to be")
        await press(pilot, ["x", "escape"], "Leave the reply as it was?")
        await pilot.press("y")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1)
    assert store_of(tmp_path).examples.decisions("ex00000") == []


async def test_marked_examples_are_decided_together(tmp_path: Path) -> None:
    async with opened(tmp_path, 20).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["space", "j", "space", "r"], "Reject it because")
        await press(pilot, ["o"], "14 accepted 6 rejected")
        await shows(pilot, "saved: 2 rejected")


async def test_a_filter_keeps_the_place_while_examples_leave_it(tmp_path: Path) -> None:
    app = opened(tmp_path, 20)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["f"], "rejected for score (4)")
        await press(pilot, [*"rejected", "enter"], "rejected 1 of 4")
        await press(pilot, ["a"], "rejected 1 of 3")
        await until(pilot, lambda: (row := rows_of(app).current) and row.example.id == "ex00009")
        await press(pilot, ["escape"], "all 10 of 20")


async def test_search_goes_round(tmp_path: Path) -> None:
    app = opened(tmp_path, 300)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["slash"], "Go to examples")
        await pilot.press(*"Question 25", "enter")
        await shows(pilot, "251 of 300")
        await press(pilot, ["n"], "252 of 300")
        await press(pilot, ["N", "N"], "260 of 300")


async def test_why_tells_where_an_example_comes_from(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(100, 45)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["j", "w"], "why it is here")
        await shows(pilot, "Ida", "ferry mate", "offline author", "0.40 alike", "Write one", "Answer 000")
        await press(pilot, ["escape"], "rules judge")


async def test_the_sample_is_reviewed_on_its_own(tmp_path: Path) -> None:
    app = opened(tmp_path, 40)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "32 accepted")
        await press(pilot, ["v"], "sample 1 of 4")
        await press(pilot, ["a"], "sample 1/4")
        await press(pilot, ["v"], "of 40")


async def test_export_says_how_many_and_where(tmp_path: Path) -> None:
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted")
        await pilot.press("x")
        folder = store_of(tmp_path).exports_dir
        await until(pilot, lambda: list(folder.glob("*.jsonl")), "an export")
        await shows(pilot, "8 examples in")
    (path,) = folder.glob("*.jsonl")
    assert [set(json.loads(line)) for line in path.read_text().splitlines()] == [{"messages"}] * 8


async def test_what_another_process_adds_appears(tmp_path: Path) -> None:
    from tests.tui.making import made

    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "1 of 3")
        other = store_of(tmp_path)
        other.examples.add_example(*made(3, load(tmp_path / "harbour.yaml")))
        await shows(pilot, "1 of 4", "4 accepted")
        assert other.examples.count(Filter()) == 4


async def test_the_cursor_and_the_filter_are_remembered(tmp_path: Path) -> None:
    app = opened(tmp_path, 20)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted")
        await press(pilot, ["f", *"reje", "enter"], "rejected 1 of 4")
        await press(pilot, ["j", "j"], "rejected 3 of 4")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "rejected 3 of 4")


async def test_keys_typed_ahead_are_taken_by_what_they_open(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        for key in ("r", "t", "r", "o", "u", "f", *"weather", "enter"):
            pilot.app.simulate_key(key)
        await shows(pilot, "weather", "of 3  7 accepted 3 rejected")


async def test_words_that_are_no_filter_are_looked_for_in_the_text(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted")
        await press(pilot, ["f"], "show only")
        await press(pilot, [*"Question 003"], 'with the words "Question 003"')
        await press(pilot, ["enter"], '"Question 003" 1 of 1')


async def test_a_decision_that_could_not_be_written_is_not_called_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Triage, example_id: str) -> None:
        raise UserError("cannot save: no space left on device", remedy="free some space")

    async with opened(tmp_path, 10).run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["j", "j", "j", "j"], "5 of 10")
        monkeypatch.setattr(Triage, "accept", full)
        await press(pilot, ["a"], "not saved")
        await shows(pilot, "free some space", "✗   2.5  Question 004", "8 accepted 2 rejected")


async def test_keys_typed_ahead_of_a_slow_disk_are_about_what_they_were_meant_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_time = Disk.read

    async def slowly(self: Disk, *arguments: Any) -> Any:
        await asyncio.sleep(0.1)
        return await in_time(self, *arguments)

    async with opened(tmp_path, 40).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "32 accepted 8 rejected")
        monkeypatch.setattr(Disk, "read", slowly)
        for key in (
            *("f", *"reje", "enter", "G", "a"),  # the last rejected one
            *("escape", "g", "r", "t"),  # the first of all
            *("slash", *"Question 007", "enter", "r", "l"),  # the one found
            *("G", "u", "r", "o"),  # the one found again: undo goes back to it
            *("v", "a"),  # the first of the sample
        ):
            pilot.app.simulate_key(key)
        await shows(pilot, "sample 1/4")
    store = store_of(tmp_path)
    decided = {
        row.example.id: (row.decision.action, row.decision.reason)
        for row in store.examples.rows(Filter(), 0, 40)
        if row.decision
    }
    (sampled,) = decided.keys() & set(sample_ids(store))
    assert decided.pop(sampled) == ("accept", "")
    assert decided == {"ex00039": ("accept", ""), "ex00000": ("reject", "tone"), "ex00007": ("reject", "other")}


async def test_a_decision_on_what_never_came_from_the_disk_is_told_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.ordered_keys.HELD_S", 0.2)
    in_time = Disk.read

    async def stuck(self: Disk, function: Any, *arguments: Any) -> Any:
        if function.__name__ == "rows":
            await asyncio.Event().wait()
        return await in_time(self, function, *arguments)

    async with opened(tmp_path, 10).run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        monkeypatch.setattr(Disk, "read", stuck)
        await press(pilot, ["f", *"reje", "enter", "a"], "nothing was decided")
        await press(pilot, ["1"], "overview")
    assert all(row.decision is None for row in store_of(tmp_path).examples.rows(Filter(), 0, 10))
