"""The window at a real pseudo-terminal: keys in, bytes out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from tests.tui.making import window
window(Path(sys.argv[1]), Path(sys.argv[2])).run()
"""


def _usual_signals() -> None:
    """As a terminal starts a program: what nohup or a background job ignores is inherited."""
    for one in (signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)


class PtyWindow:
    """A window in a process of its own. ``output`` is all that it wrote so far."""

    def __init__(
        self,
        spec: Path,
        root: Path,
        size: tuple[int, int] = (100, 30),
        term: str = "xterm-256color",
        arguments: list[str] | None = None,
    ) -> None:
        self._arguments = arguments or [sys.executable, "-c", START, str(spec), str(root)]
        self._size = struct.pack("HHHH", size[1], size[0], 0, 0)
        unset = dict.fromkeys(("COLORTERM", "LINES", "COLUMNS"), "")
        self._environment = {**os.environ, **unset, "TERM": term, "PYTHONPATH": str(ROOT)}
        self.output = b""

    def __enter__(self) -> PtyWindow:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, self._size)
        self.process = subprocess.Popen(
            self._arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._environment,
            start_new_session=True,
            preexec_fn=_usual_signals,
        )
        os.close(theirs)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        os.close(self._ours)

    def fileno(self) -> int:
        return self._ours

    def send(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds."""
        before, ends = len(self.output), time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._read_once(left)
        return self.output[before:]

    def until(self, words: str, since: int = 0, seconds: float = 20) -> None:
        """Read until the words were written, after the first ``since`` bytes."""
        ends = time.monotonic() + seconds
        while words.encode() not in self.output[since:]:
            left = ends - time.monotonic()
            assert left > 0 and self._read_once(left), f"never wrote {words!r}: {self.output[-3000:]!r}"

    def press(self, keys: str, then: str) -> None:
        """Send keys and read until the words were written."""
        since = len(self.output)
        self.send(keys)
        self.until(then, since)

    def wait(self, seconds: float = 20) -> int:
        """Read until the process has ended; its exit status."""
        ends = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < ends, f"never ended: {self.output[-3000:]!r}"
            self._read_once(0.05)
        self.read(0.1)
        return self.process.returncode

    def _read_once(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._ours], [], [], max(seconds, 0))
        chunk = b""
        if ready:
            with contextlib.suppress(OSError):  # the other end is closed
                chunk = os.read(self._ours, 65536)
            self.output += chunk
        return chunk if ready else b"-"
