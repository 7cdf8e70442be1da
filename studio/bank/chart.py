"""The picture of a bank's diversity: bars of its shares and a table of its measures, as SVG without any library.

Text from people is made inert and escaped: the file holds no script, no link and no style of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from studio.bank.diversity import Diversity, Measures, Shares
from studio.text.inert import inert_line

WIDTH, COLUMN, LABEL, BAR, LINE = 960, 480, 170, 220, 17
COLOURS = ("#3465a4", "#e9a227")
"""Of the bank and of the one beside it; apart for colour-blind eyes too."""
ORDERED = ("age", "words")
"""Attributes whose values are bands, shown in their order."""
_FONT = "font-family='DejaVu Sans Mono, monospace' font-size='11'"

MEASURES: tuple[tuple[str, str, int], ...] = (
    ("distinct_1", "distinct-1", 3),
    ("distinct_2", "distinct-2", 3),
    ("distinct_3", "distinct-3", 3),
    ("compression", "compression ratio", 2),
    ("self_repetition", "self-repetition", 2),
    ("mean_distance", "mean distance", 3),
    ("nearest_distance", "nearest neighbour", 3),
    ("vendi", "Vendi score", 1),
)
"""Field, what it is called, and digits."""


def figures(measures: Measures) -> list[tuple[str, str]]:
    """What each measure is called, and its figure."""
    return [(name, f"{getattr(measures, field):.{digits}f}") for field, name, digits in MEASURES]


def svg(banks: Sequence[tuple[str, Diversity]], what: str = "people") -> str:
    """One bank or two, each with its name, as one picture. ``what`` they hold."""
    parts, heights = [], [40.0, 40.0]
    pairs = list(zip(*(found.shares for _, found in banks), strict=True))
    for place, attribute in enumerate(pairs):
        column = place % 2
        drawn, height = _bars(attribute, column * COLUMN, heights[column])
        parts.append(drawn)
        heights[column] += height + 24
    drawn, height = _table(banks, max(heights), what)
    total = max(heights) + height + 16
    legend = "".join(
        f"<rect x='{12 + 320 * number}' y='10' width='10' height='10' fill='{COLOURS[number % 2]}'/>"
        + _text(28 + 320 * number, 19, f"{_short(name, 28)}: {found.people} {what}")
        for number, (name, found) in enumerate(banks)
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{total:.0f}' "
        f"viewBox='0 0 {WIDTH} {total:.0f}' {_FONT}>"
        f"<rect width='100%' height='100%' fill='#ffffff'/>{legend}{''.join(parts)}{drawn}</svg>\n"
    )


def _bars(banks: Sequence[Shares], left: float, top: float) -> tuple[str, float]:
    """One attribute: a bar a bank for each value that the first one names, and for the second's own."""
    values = list(dict.fromkeys(share.value for bank in banks for share in bank.values))
    if banks[0].attribute in ORDERED:
        values.sort()
    found = [{share.value: share.share for share in bank.values} for bank in banks]
    most = max([share for bank in found for share in bank.values()], default=0.0) or 1.0
    about = "; ".join(f"{bank.different} different, evenness {bank.evenness:.2f}" for bank in banks)
    drawn = [_text(left + 12, top + 12, f"{banks[0].attribute}: {about}", bold=True)]
    thick = 11 / len(banks)
    for row, value in enumerate(values):
        y = top + 22 + row * LINE
        drawn.append(_text(left + LABEL - 4, y + 9, _short(value, 23), end=True))
        for number, bank in enumerate(found):
            share = bank.get(value, 0.0)
            width, at = BAR * share / most, y + number * thick
            drawn.append(
                f"<rect x='{left + LABEL:.1f}' y='{at:.1f}' width='{width:.1f}' height='{thick:.1f}' "
                f"fill='{COLOURS[number % 2]}'/>"
            )
        shown = " ".join(f"{bank.get(value, 0.0):.1%}" for bank in found)
        drawn.append(_text(left + LABEL + BAR + 6, y + 9, shown))
    return "".join(drawn), 22 + LINE * len(values)


def _table(banks: Sequence[tuple[str, Diversity]], top: float, what: str) -> tuple[str, float]:
    first = banks[0][1].measures
    head = f"{first.n} {what} each, cut after {first.words} words"
    drawn = [_text(12, top + 12, head, bold=True)]
    columns = [figures(found.measures) for _, found in banks]
    for row, cells in enumerate(zip(*columns, strict=True)):
        y = top + 30 + row * LINE
        drawn.append(_text(12, y, cells[0][0]))
        drawn += [_text(250 + 120 * number, y, figure, end=True) for number, (_, figure) in enumerate(cells)]
    return "".join(drawn), 30 + LINE * len(columns[0])


def _text(x: float, y: float, text: str, *, bold: bool = False, end: bool = False) -> str:
    style = (" font-weight='bold'" if bold else "") + (" text-anchor='end'" if end else "")
    return f"<text x='{x:.1f}' y='{y:.1f}'{style} fill='#222222'>{escape(inert_line(text))}</text>"


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
