"""How much of a whole is there, as one line: full, half-way and missing, told by shape and number too."""

from __future__ import annotations

from textual.content import Content

from studio.tui.text import join, pad

NOTHING = Content("")


def bar(done: float, whole: float, width: int, style: str = "$primary") -> Content:
    """``done`` of ``whole`` in ``width`` cells; a part that is there shows as one cell at least."""
    share = 1.0 if whole <= 0 else min(max(done / whole, 0.0), 1.0)
    full = round(share * width)
    if done > 0 and full == 0:
        full = 1
    if done < whole and full == width:
        full = width - 1
    return join(("━" * full, style), ("─" * (width - full), "$rule"))


LEAST, MOST = 6, 40
"""Cells of a bar in a line: with less room there is none."""


def with_bar(told: Content, done: float, whole: float, width: int, after: Content = NOTHING) -> Content:
    """``told``, a bar as long as the line has room for, and ``after``."""
    room = min(width - told.cell_length - after.cell_length - 1, MOST)
    return join(told, bar(done, whole, room) if room >= LEAST else "", after)


def coverage(name: str, done: int, whole: int, width: int, *, name_width: int = 22) -> Content:
    """``task_creation  ━━━━━━──  23/37``: green where the target is reached."""
    numbers = f"{done}/{whole}"
    name_width = min(name_width, max(width // 2, 8))
    room = max(width - name_width - 10, 4)
    style = "$success" if done >= whole else "$primary"
    return join(
        f"{pad(name, name_width)} ",
        bar(done, whole, room, style),
        (f" {numbers:>8}", "$success" if done >= whole else ""),
    )
