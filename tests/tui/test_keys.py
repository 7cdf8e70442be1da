"""Keys that come faster than the window: each is taken by what it was meant for, in the order in which it was typed."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.widgets import Input

from studio.spec import load
from studio.store import Filter, Workspace
from studio.tui import StudioApp
from studio.tui.keys.ordered import OrderedKeys
from studio.tui.live import session as opening
from studio.tui.live.threads import Disk
from tests.tui.making import fill, opened, press, shows, until, write_spec
from tests.tui.pty_window import PtyWindow


def decided(folder: Path) -> dict[str, tuple[str, str]]:
    """Action and reason of the decisions on the disk, by example."""
    rows = Workspace.open(folder / "ws", "harbour").examples.rows(Filter(), 0, 100)
    return {row.example.id: (row.decision.action, row.decision.reason) for row in rows if row.decision}


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float, *names: str) -> None:
    """Reads of the disk take so long; where functions of the store are named, only those."""
    in_time = Disk.read

    async def slowly(self: Disk, function: Any, *arguments: Any) -> Any:
        if not names or function.__name__ in names:
            await asyncio.sleep(seconds)
        return await in_time(self, function, *arguments)

    monkeypatch.setattr(Disk, "read", slowly)


async def test_keys_typed_ahead_are_taken_by_what_they_open(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        for key in ("r", "t", "r", "o", "u", "f", *"weather", "enter"):
            pilot.app.simulate_key(key)
        await shows(pilot, "weather", "of 3  7 accepted 3 rejected")


async def test_keys_typed_ahead_through_dialogs_all_arrive_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.keys.ordered.PATIENCE", 100_000)  # none may have to be waited for
    app = opened(tmp_path, 40)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "32 accepted 8 rejected")
        editing = ["e", "z", "escape", "y"]
        filtering = ["f", *"banned", "enter", "escape"]
        deciding = ["r", "t", "r", "escape"]
        looking = ["question_mark", "escape", "colon", "escape", "slash", *"Question", "enter", "n", "1", "4"]
        for key in [*editing, *filtering, *deciding, *looking, "G", "f", *"rejected", "enter", "1"]:
            app.simulate_key(key)
        await until(pilot, lambda: app.current_mode == "spec" and len(app.screen_stack) == 1)
        await press(pilot, ["4"], "rejected")
        await shows(pilot, "✗=")


async def test_keys_typed_ahead_of_a_slow_disk_are_about_what_they_were_meant_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, 40).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "32 accepted 8 rejected")
        slow(monkeypatch, 0.1)
        for key in (
            *("f", *"reje", "enter", "G", "a"),  # the last rejected one
            *("escape", "g", "r", "t"),  # the first of all
            *("slash", *"Question 007", "enter", "r", "l"),  # the one found
            *("G", "u", "r", "o"),  # the one found again: undo goes back to it
            *("i", "3", "enter", "enter"),  # the first of the sample
        ):
            pilot.app.simulate_key(key)
        await shows(pilot, "1 of 20 reviewed")
    found = decided(tmp_path)
    assert Workspace.open(tmp_path / "ws", "harbour").examples.count(Filter(flagged=True)) == 1
    assert found == {"ex00039": ("accept", ""), "ex00000": ("reject", "tone"), "ex00007": ("reject", "other")}


async def test_a_decision_on_what_never_came_from_the_disk_is_told_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrderedKeys, "HELD_S", 0.2)
    async with opened(tmp_path, 10).run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        slow(monkeypatch, 1000, "rows")
        await press(pilot, ["f", *"reje", "enter", "a"], "nothing was decided")
        await press(pilot, ["1"], "overview")
    assert decided(tmp_path) == {}


async def test_a_key_that_arrives_while_another_waits_is_taken_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = OrderedKeys.on_ordered_keys_key_done
    third = [Key("c", "c")]

    def another_comes(app: StudioApp, message: OrderedKeys.KeyDone) -> None:
        if message.lap > 1 and third:
            app.post_message(third.pop())  # right behind the end of the first
        done(app, message)

    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["slash"], "Go to examples")
        monkeypatch.setattr(OrderedKeys, "on_ordered_keys_key_done", another_comes)
        app.simulate_key("a")
        app.simulate_key("b")
        await until(pilot, lambda: len(app.screen.query_one(Input).value) == 3)
        assert app.screen.query_one(Input).value == "abc"


def test_what_is_typed_fast_at_a_terminal_arrives_as_it_was_typed(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    fill(tmp_path / "ws", load(path), 40).close()
    pauses = random.Random(7)
    with PtyWindow(path, tmp_path / "ws") as window:
        window.press("4", "Question 000")
        for key in [*("rt" * 20), "/", *"berth two has four metres", "\r"]:
            window.send(key)
            time.sleep(pauses.uniform(0, 0.02))
        window.until("no example shown here has berth two has four metres")
        window.send("\x11")
        window.wait()
    assert decided(tmp_path) == {f"ex{number:05}": ("reject", "tone") for number in range(20)}


async def test_pasted_text_waits_for_the_field_that_the_key_before_it_opens(tmp_path: Path) -> None:
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        app.simulate_key("slash")
        app.post_message(Paste("Question 007"))
        app.simulate_key("enter")
        await shows(pilot, "all 8 of 10")


async def test_keys_typed_before_there_is_a_workspace_wait_for_it_and_for_its_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_time = opening.open_session

    def late(*arguments: Any) -> Any:
        time.sleep(0.5)
        return in_time(*arguments)

    monkeypatch.setattr(opening, "open_session", late)
    app = opened(tmp_path, 20)
    async with app.run_test(size=(100, 30)) as pilot:
        for key in ("4", "j", "j", "r", "t", "3", "4", "j", "a"):
            app.simulate_key(key)
        await shows(pilot, "saved: accepted")
    assert decided(tmp_path) == {"ex00002": ("reject", "tone"), "ex00004": ("accept", "")}


async def test_the_next_decision_in_a_filtered_list_is_on_the_next_example_however_slow_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, 20).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["f", *"reje", "enter"], "rejected 1 of 4")
        slow(monkeypatch, 0.2, "rows")
        await press(pilot, ["a"], "17 accepted 3 rejected")
        await press(pilot, ["a"], "18 accepted 2 rejected")
    assert decided(tmp_path) == {"ex00004": ("accept", ""), "ex00009": ("accept", "")}


async def test_quitting_waits_for_every_one_of_the_marked(tmp_path: Path) -> None:
    app = opened(tmp_path, 60)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "48 accepted 12 rejected")
        await press(pilot, ["space"] * 40, "40 marked")
        for key in ("r", "t", "ctrl+q"):
            app.simulate_key(key)
        await until(pilot, lambda: not app.is_running)
    assert len(decided(tmp_path)) == 40
