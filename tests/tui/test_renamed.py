"""A spec whose persona gets another name opens another workspace: no screen shows what is in the first one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.spec import load
from studio.store import Workspace
from studio.tui import StudioApp
from studio.tui.live.state import ScreenState
from studio.tui.screens.chat.conversation import Exchange, conversations
from tests.tui.making import SPEC, fill, press, shows, text_of, until, window, write_spec
from tests.tui.outcomes import keep_evaluation, keep_package, keep_run, keep_talk

LOOKS = {"2": "Ida", "3": "Question", "4": "Question", "5": "run-made", "6": "berth", "7": "a secret", "8": "pack-made"}
"""What each screen shows of the first persona."""


def opened_with_everything(folder: Path) -> StudioApp:
    loaded = load(write_spec(folder))
    workspace = fill(folder / "ws", loaded, 5)
    run = keep_run(workspace)
    keep_package(workspace, keep_evaluation(workspace, loaded.spec, run), "pack-made")
    keep_talk(workspace, run, Exchange(user="a secret", base="b", tuned="t"), draft="half a word")
    workspace.close()
    return window(loaded.path, folder / "ws")


async def rename(pilot: Pilot[Any], app: StudioApp, folder: Path, name: str) -> None:
    write_spec(folder, SPEC.replace("name: Harbour", f"name: {name}"))
    await pilot.press("1", "R")
    await until(pilot, lambda: app.session and app.session.workspace.folder.name == name.lower())


@pytest.mark.parametrize("key", LOOKS)
async def test_a_screen_shows_the_persona_that_is_open(tmp_path: Path, key: str) -> None:
    app = opened_with_everything(tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, [key], LOOKS[key])
        await rename(pilot, app, tmp_path, "Lighthouse")
        await pilot.press(key)
        await until(pilot, lambda: LOOKS[key] not in text_of(app), "the other persona's is gone")
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "spec")
        await rename(pilot, app, tmp_path, "Harbour")
        await press(pilot, [key], LOOKS[key])


async def test_a_conversation_is_not_kept_with_another_persona(tmp_path: Path) -> None:
    app = opened_with_everything(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["7"], "a secret")
        await shows(pilot, "half a word")
        await rename(pilot, app, tmp_path, "Lighthouse")
        await press(pilot, ["7"], "Nothing said yet")
        assert "half a word" not in text_of(app)
        await pilot.press("ctrl+q")
    workspace = Workspace.open(tmp_path / "ws", "lighthouse")
    assert conversations(workspace.documents) == []
    assert not [state for state in workspace.studio.all("screen", ScreenState) if "half a word" in str(state.values)]
