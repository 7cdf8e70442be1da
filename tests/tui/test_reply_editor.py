"""The editor of a reply."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.chatml import assistant, user
from studio.spec import load
from studio.store import Workspace
from tests.tui.making import made, opened, press, shows, until, window, write_spec


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 45)])
async def test_the_request_stands_above_the_reply(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, 3).run_test(size=size) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "user  Question 000, how deep is it?")


async def test_a_long_request_leaves_room_for_the_reply(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    example, judgement = made(0, load(path))
    workspace = Workspace.open(tmp_path / "ws", "harbour")
    messages = (user("\n".join(f"line {number}" for number in range(40))), assistant("short"))
    workspace.examples.add_example(example.model_copy(update={"messages": messages}), judgement)
    workspace.close()
    async with window(path, tmp_path / "ws").run_test(size=(80, 24)) as pilot:
        await press(pilot, ["4"], "short")
        await press(pilot, ["e"], "line 2")
        await shows(pilot, "short", "save")


async def test_a_reply_with_other_line_ends_is_left_as_it_was(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    example, judgement = made(0, load(path))
    workspace = Workspace.open(tmp_path / "ws", "harbour")
    messages = (user("q"), assistant("one\u2028two"))
    workspace.examples.add_example(example.model_copy(update={"messages": messages}), judgement)
    app = window(path, tmp_path / "ws")
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "one")
        await press(pilot, ["e"], "The reply as it ought to be")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "without a question")
        await press(pilot, ["e"], "The reply as it ought to be")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: len(app.screen_stack) == 1)
    row = workspace.examples.row(example.id)
    assert row is not None and row.messages == messages and row.decision is None
