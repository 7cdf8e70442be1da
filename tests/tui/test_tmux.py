"""The window in a real tmux: walked by keys, detached from and attached to again."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.spec import load
from studio.store import Workspace
from tests.tui.making import fill, write_spec
from tests.tui.pty_window import ROOT, START

pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux here")
HOSTILE = "A\x1b]52;c;aGFja2Vk\x07 [@click=app.quit]B \u202eC"


class Tmux:
    """A server of its own with one session, in which the window runs."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._name = f"studio-{os.getpid()}-{folder.name}"
        command = [sys.executable, "-c", START, str(folder / "harbour.yaml"), str(folder / "ws")]
        width, height = str(size[0]), str(size[1])
        self._run("-f", "/dev/null", "new", "-d", "-s", "it", "-x", width, "-y", height, "-c", str(ROOT), *command)

    def _run(self, *arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("TMUX", None)
        done = subprocess.run(
            ["tmux", "-L", self._name, *arguments], capture_output=True, text=True, env=environment, check=False
        )
        return done.stdout

    def screen(self) -> str:
        return self._run("capture-pane", "-p", "-t", "it")

    def press(self, *keys: str, then: str) -> str:
        self._run("send-keys", "-t", "it", *keys)
        return self.until(then)

    def until(self, words: str) -> str:
        ends = time.monotonic() + 20
        while words not in (screen := self.screen()):
            assert time.monotonic() < ends, f"never showed {words!r}:\n{screen}"
            time.sleep(0.05)
        return screen

    def buffers(self) -> str:
        return self._run("list-buffers")

    def clients(self) -> str:
        return self._run("list-clients")

    def attach(self) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        client = subprocess.Popen(
            ["tmux", "-L", self._name, "attach", "-t", "it"],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        return client, ours

    def end(self) -> None:
        self._run("kill-server")


@pytest.fixture(params=[(80, 24), (160, 45)], ids=["80x24", "160x45"])
def tmux(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    path = write_spec(tmp_path)
    fill(tmp_path / "ws", load(path), 30, HOSTILE).close()
    server = Tmux(tmp_path, request.param)
    yield server
    server.end()


def test_the_stages_are_walked_and_examples_decided_by_keys(tmux: Tmux, tmp_path: Path) -> None:
    tmux.until("spec✓")
    tmux.press("2", then="ferry mate")
    tmux.press("3", then="Question 029")
    tmux.press("4", then="24 accepted 6 rejected")
    tmux.press("r", "t", then="saved: rejected: tone")
    screen = tmux.press("u", then="undone: reject")
    assert "24 accepted 6 rejected" in screen or tmux.until("24 accepted 6 rejected")
    tmux.press("j", "j", "j", "j", "a", then="25 accepted 5 rejected")
    row = Workspace.open(tmp_path / "ws", "harbour").examples.row("ex00004")
    assert row is not None and row.status == "accepted"
    assert tmux.buffers() == "", "nothing wrote to the clipboard"
    assert "\u202e" not in tmux.screen()


def test_detaching_leaves_the_window_as_it_is(tmux: Tmux) -> None:
    tmux.until("spec✓")
    tmux.press("4", then="24 accepted")
    tmux.press("G", then="30 of 30")
    client, ours = tmux.attach()
    ends = time.monotonic() + 20
    while not tmux.clients():
        assert time.monotonic() < ends
        time.sleep(0.05)
    client.kill()
    client.wait(10)
    os.close(ours)
    while tmux.clients():
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert "30 of 30" in tmux.until("30 of 30")
    tmux.press("g", then="1 of 30")
