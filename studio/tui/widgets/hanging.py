"""Lines whose wrapped rest stands under their text, not under what heads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual.content import Content

from studio.tui.text import Part, join, lines, shown
from studio.tui.widgets.page import Shown

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
