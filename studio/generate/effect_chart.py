"""The picture of a person effect: each share with its interval, for whole people and by field, as SVG without any
library."""

from __future__ import annotations

from html import escape

from studio.generate.effect import MEASURES, Effect
from studio.text.inert import inert_line

WIDTH, LABEL, COLUMN, LINE, TOP = 960, 170, 190, 22, 70
_FONT = "font-family='DejaVu Sans Mono, monospace' font-size='11'"
_ACTS, _IDLE = "#3465a4", "#9a9a9a"


def svg(found: Effect) -> str:
    """A column a measure, a row for the person and for each field; the axis goes from 0 to 1. Grey: cannot be told from
    chance."""
    rows = (found.person, *found.fields)
    height = TOP + LINE * len(rows) + 30
    drawn = [
        _text(12, 20, f"Share of the variation of the user's turn; {found.source}, {found.scenarios} scenarios"),
        _text(12, 36, found.told),
    ]
    for column, name in enumerate(MEASURES):
        left = LABEL + COLUMN * column
        drawn.append(_text(left, TOP - 12, name, bold=True))
        for at in (0.0, 0.5, 1.0):
            x = left + (COLUMN - 40) * at
            drawn.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{TOP - 6}' y2='{height - 24}' stroke='#e0e0e0'/>")
            drawn.append(_text(x - 8, height - 10, f"{at:g}"))
    for number, one in enumerate(rows):
        y = TOP + LINE * number + 8
        colour = _ACTS if one.acts else _IDLE
        drawn.append(_text(12, y + 4, f"{one.what} (p {one.p:.3f})", bold=number == 0))
        for column, measure in enumerate(one.measures):
            left = LABEL + COLUMN * column
            at, low, high = (
                left + (COLUMN - 40) * min(1.0, max(0.0, value if value is not None else measure.share))
                for value in (measure.share, measure.low, measure.high)
            )
            drawn.append(
                f"<line x1='{low:.1f}' x2='{high:.1f}' y1='{y}' y2='{y}' stroke='{colour}' stroke-width='2'/>"
                f"<circle cx='{at:.1f}' cy='{y}' r='4' fill='{colour}'/>"
            )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}' "
        f"{_FONT}><rect width='100%' height='100%' fill='#ffffff'/>{''.join(drawn)}</svg>\n"
    )


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    style = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}'{style} fill='#222222'>{escape(inert_line(text))}</text>"
