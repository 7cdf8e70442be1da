"""Keys of a terminal, one at a time, without enter: what a sitting is answered with."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from studio.errors import UserError


@contextmanager
def terminal_keys() -> Iterator[Iterator[str]]:
    """Keys of the terminal as they are pressed, without enter. Raises UserError where stdin is none."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("labelling wants a terminal", remedy="in a script: --export FILE, then --import FILE")
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield _pressed(sys.stdin.fileno())
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed(source: int) -> Iterator[str]:
    def more() -> bytes:
        return os.read(source, 1) if select.select([source], [], [], 0.02)[0] else b""

    while key := os.read(source, 1):
        if key != b"\x1b":
            yield key.decode("latin-1").lower()
        elif more() in (b"[", b"O"):  # an arrow or a function key, which is none of ours: up to its final byte
            while (part := more()) and not b"@" <= part <= b"~":
                pass
