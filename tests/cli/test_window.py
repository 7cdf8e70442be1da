"""``studio`` at a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests import small_persona
from tests.tui.pty_window import PtyWindow

DEAF = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from studio.cli import main
main()
"""


def test_a_window_that_was_started_deaf_to_hangups_ends_with_its_terminal(tmp_path: Path) -> None:
    spec = small_persona.copy_to(tmp_path)
    command = [sys.executable, "-c", DEAF, str(spec), "--workspace", str(tmp_path / "ws")]
    with PtyWindow(spec, tmp_path / "ws", arguments=command) as window:
        window.until("Wren")
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, window.fileno())  # closes the terminal
        os.close(nowhere)
        window.process.wait(20)
