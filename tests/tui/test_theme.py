"""Terminals of 16 colours get a theme of their own, in which no colour is rounded to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.color_triplet import ColorTriplet

from studio.tui.stages import ENTRIES
from studio.tui.theme import STUDIO, STUDIO_16
from tests.tui.making import opened, press, until

SIXTEEN = [
    *((red, green, blue) for red in (0, 170) for green in (0, 170) for blue in (0, 170)),
    *((red, green, blue) for red in (85, 255) for green in (85, 255) for blue in (85, 255)),
]
"""As rich has them, but that the theme's own arithmetic may be off by one."""


def colours(app: Any) -> set[ColorTriplet]:
    """Every colour on the screen; of what lies over it where a dialog is open, for that dims what is behind."""
    found = set()
    dialogs = [*app.screen.query(".dialog")] or [app.screen]
    area = dialogs[0].region
    for strip in app.screen._compositor.render_strips()[area.y : area.bottom]:
        for segment in strip.crop(area.x, area.right):
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour is not None and colour.triplet is not None:
                    found.add(colour.triplet)
    return found


def others(app: Any) -> list[str]:
    """Those that are none of the sixteen."""
    return [
        one.hex
        for one in colours(app)
        if not any(all(abs(a - b) <= 1 for a, b in zip(one, known, strict=True)) for known in SIXTEEN)
    ]


async def test_a_terminal_of_many_colours_has_the_calm_theme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console.Console.color_system", "truecolor")
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        assert app.theme == STUDIO.name
        assert STUDIO.background in {one.hex for one in colours(app)}


async def test_a_terminal_of_16_colours_is_sent_only_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console.Console.color_system", "standard")
    app = opened(tmp_path, 12)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session and app.marks)
        assert app.theme == STUDIO_16.name
        for entry in ENTRIES:
            await press(pilot, [entry.key], f"{entry.key} {entry.stage}")
            await until(pilot, lambda: app.current_mode == entry.stage)  # noqa: B023
            await pilot.pause(0.3)
            assert others(app) == [], entry.stage
        await press(pilot, ["1", "e"], "valid")
        assert others(app) == [], "the editor"
        await press(pilot, ["escape", "4"], "Question 000")
        for key, words in (
            ("f", "show only"),
            ("r", "Reject it because"),
            ("e", "as it ought to be"),
            ("colon", "what"),
        ):
            await press(pilot, [key], words)
            assert others(app) == [], words
            await pilot.press("escape")
