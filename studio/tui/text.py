"""Text on its way to the screen: what is not ours becomes inert ``Content`` before any widget sees it, numbers are put
as people read them, and the last gate before the terminal drops what a widget let through."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
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


UNKNOWN = "-"


def duration(seconds: float | None) -> str:
    """``8 s``, ``1:12``, ``2:03:10``."""
    if seconds is None:
        return UNKNOWN
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def counted(number: int, what: str, several: str = "") -> str:
    """``1 problem``, ``2 problems``; ``several`` where that is no plain ``s``."""
    return f"{number} {what if number == 1 else several or what + 's'}"


def score(value: float | None) -> str:
    """Of 10, one decimal."""
    return UNKNOWN if value is None else f"{value:.1f}"


def share(part: float, whole: float) -> str:
    """``87 %``; a dash of nothing."""
    return UNKNOWN if whole <= 0 else f"{100 * part / whole:.0f} %"


def rate(per_second: float | None) -> str:
    """Whichever of ``3.2/s`` and ``14/min`` is easier to read."""
    if not per_second or per_second < 0:
        return UNKNOWN
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{per_second * 60:.1f}/min"


_HARMFUL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # C0 but tab, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u2028\u2029\ufeff]"  # separators that some terminals obey
)


class InertLines(LineFilter):
    """Drops control and bidi characters from every line; they are no cell wide, so nothing moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_HARMFUL.search(segment.text) for segment in segments):
            return segments
        return [Segment(_HARMFUL.sub("", text), style, control) for text, style, control in segments]
