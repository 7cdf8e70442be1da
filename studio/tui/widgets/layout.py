"""Content laid out for a width: bars, names and values in two columns, lines that hang by what heads them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual.content import Content

from studio.tui.text import Part, cells, join, lines, pad, shown
from studio.tui.widgets.page import Shown

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


BAR_LEAST, BAR_MOST = 6, 40
"""Cells of a bar in a line: with less room there is none."""


def with_bar(told: Content, done: float, whole: float, width: int, after: Content = NOTHING) -> Content:
    """``told``, a bar as long as the line has room for, and ``after``."""
    room = min(width - told.cell_length - after.cell_length - 1, BAR_MOST)
    return join(told, bar(done, whole, room) if room >= BAR_LEAST else "", after)


def coverage(name: str, done: int, whole: int, width: int, *, name_width: int = 22) -> Content:
    """``task_creation  ━━━━━━──  23/37``: green where the target is reached."""
    name_width = min(name_width, max(width // 2, 8))
    figures = f"{done}/{whole}".rjust(8)
    room = max(width - name_width - len(figures) - 2, 4)
    style = "$success" if done >= whole else "$primary"
    return join(
        f"{pad(name, name_width)} ",
        bar(done, whole, room, style),
        (f" {figures}", "$success" if done >= whole else ""),
    )


def facts(pairs: Iterable[tuple[str, Part]], width: int, *, name_width: int = 11) -> Content:
    """A line or more a pair, ``width`` cells wide. Pairs with an empty value are left out. ``name_width`` is the least
    that the names take; longer ones take up to a third of the line."""
    there = [(name, content) for name, value in pairs if (content := join(value)).plain.strip()]
    name_width = max(name_width, min(max((cells(name) for name, _ in there), default=0), width // 3))
    found: list[Content] = []
    for name, content in there:
        wrapped = content.wrap(max(width - name_width - 1, 8))
        found.append(join((name + " " * (name_width - cells(name)), "$quiet"), " ", wrapped[0]))
        found += [join(" " * (name_width + 1), one) for one in wrapped[1:]]
    return lines(found)


LEAST = 16
"""Cells of text that a line keeps beside its head; with less room it is wrapped plainly."""
_HEAD = re.compile(r" *(?:[-*•] +|\d+[.)] +)?")

Hung = tuple[Content, Content]
"""A head, and the text that begins after it."""


def hang(head: Part, *text: Part) -> Hung:
    return join(head), join(*text)


def hang_text(text: str) -> list[Hung]:
    """Every line of a text: list items and what is indented hang by their sign and their indent."""
    found = []
    for one in shown(text).split("\n", allow_blank=True):
        match = _HEAD.match(one.plain)
        found.append((one[: match.end()], one[match.end() :]) if match else (Content(""), one))
    return found


def hanging(parts: Iterable[Content | Hung]) -> Shown:
    """A page of them; plain content among them is wrapped as it is."""
    kept = list(parts)
    return lambda width: lines(_laid(part, width) if isinstance(part, tuple) else part for part in kept)


def _laid(part: Hung, width: int) -> Content:
    head, text = part
    room = width - head.cell_length
    if room < LEAST or not text.plain:
        return join(head, text)
    first, *rest = text.wrap(room)
    indent = " " * head.cell_length
    return lines([join(head, first), *(join(indent, one) for one in rest)])
