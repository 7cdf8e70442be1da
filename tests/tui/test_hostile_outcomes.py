"""Hostile text in what models and judges said of runs, through the screens of the later stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.spec import load
from studio.store import Workspace
from studio.tui.screens.chat.conversation import Exchange
from tests.tui.making import press, shows, text_of, window, write_spec
from tests.tui.outcomes import keep_evaluation, keep_package, keep_run, keep_talk
from tests.tui.pty_window import PtyWindow
from tests.tui.test_chat_screen import say, served
from tests.tui.test_hostile import FORBIDDEN, PAYLOAD


def hostile_workspace(folder: Path) -> Path:
    """A run, an evaluation, a package and a conversation with the payload in every reply, rationale and quote."""
    loaded = load(write_spec(folder))
    workspace = Workspace.open(folder / "ws", loaded.spec.slug)
    run = keep_run(workspace)
    evaluation = keep_evaluation(workspace, loaded.spec, run, PAYLOAD)
    keep_package(workspace, evaluation, "harbour-made", PAYLOAD)
    keep_talk(workspace, run, Exchange(user=PAYLOAD, base=PAYLOAD, tuned=PAYLOAD), draft=PAYLOAD)
    workspace.close()
    return loaded.path


def close(window_: PtyWindow) -> None:
    """Escape alone: with a key right behind it, a terminal means alt and that key."""
    window_.send("\x1b")
    window_.read(0.5)


@pytest.mark.parametrize("term", ["xterm-256color", "screen"])
def test_no_later_screen_lets_a_sequence_reach_the_terminal(tmp_path: Path, term: str) -> None:
    path = hostile_workspace(tmp_path)
    with PtyWindow(path, tmp_path / "ws", term=term) as window_:
        window_.until("Harbour")
        window_.press("5", "8/9 gates")
        window_.press("\r", "Run run-made")
        close(window_)
        window_.press("6", "60 probes")
        window_.press("\r", "in both orders")
        window_.send("G")
        close(window_)
        window_.press("r", "Mean score by category")
        close(window_)
        window_.press("l", "0 of 60")
        window_.press("2", "Gives numbers")
        window_.press("p", "0 of 60 pairs")
        close(window_)
        window_.press("7", "adapter on")
        window_.press("l", "now: tuned")
        window_.press("o", "1 turn")
        close(window_)
        window_.press("8", "verified")
        window_.send("\x11")
        window_.process.wait(20)
        window_.read(0.3)
    assert b"pwned" in window_.output, "the payload was on the screen"
    assert [sequence for sequence in FORBIDDEN if sequence in window_.output] == []
    assert window_.process.returncode == 0


async def test_a_hostile_reply_is_inert_while_it_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(write_spec(tmp_path))
    keep_run(Workspace.open(tmp_path / "ws", loaded.spec.slug))
    app: Any = window(loaded.path, tmp_path / "ws")

    def hostile(body: dict[str, Any]) -> str:
        return f"{PAYLOAD} [@click=app.quit]press[/] end"

    async with served(monkeypatch, hostile), app.run_test(size=(120, 40)) as pilot:
        await press(pilot, ["7"], "adapter on")
        await say(pilot, "hello")
        await shows(pilot, "which?", "end", "[@click=app.quit]")
        plain = text_of(app).replace("\n", "")
        assert not any(one < " " or "\x7f" <= one <= "\x9f" or one in "\u202e\u2066" for one in plain)
        strips = app.screen._compositor.render_strips()
        assert not any("@click" in segment.style.meta for strip in strips for segment in strip if segment.style)
