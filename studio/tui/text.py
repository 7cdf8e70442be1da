"""The one way in for text that is not ours: it becomes inert ``Content`` before any widget sees it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.style import Style

from studio.text.inert import inert, inert_line

Part = str | Content | tuple[str, str]


def shown(text: str, style: str | Style = "") -> Content:
    """``text`` on as many lines as it has, inert, in one style (``bold $primary``). Never markup."""
    return Content(inert(text).expandtabs(4)).stylize(style) if style else Content(inert(text).expandtabs(4))


def line(text: str, style: str | Style = "") -> Content:
    """``text`` on one line, inert; runs of white space become one space."""
    plain = Content(inert_line(text))
    return plain.stylize(style) if style else plain


def join(*parts: Part) -> Content:
    """Pieces put together. A bare string, or one with a style, is made inert too, new lines kept."""
    return Content.assemble(*(_safe(part) for part in parts))


def lines(parts: Iterable[Content]) -> Content:
    """One piece a line."""
    return Content("\n").join(parts)


def clip(text: str, width: int) -> str:
    """``text`` made one inert line of at most ``width`` cells, with an ellipsis where it was cut."""
    return line(text).truncate(max(width, 0), ellipsis=True).plain


def cells(text: str) -> int:
    """How many cells of the terminal ``text`` takes: two a character in Chinese, Japanese and Korean."""
    return Content(inert(text)).cell_length


def pad(text: str, width: int) -> str:
    """``text`` made one inert line of exactly ``width`` cells: cut with an ellipsis, or filled up with spaces."""
    cut = clip(text, width)
    return cut + " " * (width - cells(cut))


def _safe(part: Part) -> Content | tuple[str, str]:
    if isinstance(part, Content):
        return part
    if isinstance(part, tuple):
        return inert(part[0]), part[1]
    return Content(inert(part))
