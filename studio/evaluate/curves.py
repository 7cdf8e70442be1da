"""Loss curves of two runs over each other: as data, in plain characters for any terminal, and as SVG without a library.

Every optimiser step of a run is drawn: as many as share a column (or a point of the picture) as their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import fmean

from studio.chatml import Frozen
from studio.text.inert import inert_line
from studio.train.run import StepMetrics

MARKS, BOTH = "ab", "*"
LABEL, HEIGHT = 8, 12
COLOURS = ("#3465a4", "#e9a227")
"""Apart for colour-blind eyes too."""
_WIDE, _HIGH, _LEFT, _TOP, _POINTS = 960, 420, 70, 50, 400
_FONT = "font-family='DejaVu Sans Mono, monospace' font-size='12'"


class Curve(Frozen):
    """Training loss (nats a token) by optimiser step, finite values alone."""

    steps: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()

    @classmethod
    def of(cls, metrics: Sequence[StepMetrics]) -> Curve:
        known = [one for one in metrics if math.isfinite(one.loss)]
        return cls(steps=tuple(one.step for one in known), losses=tuple(one.loss for one in known))


def in_columns(curve: Curve, columns: int, last: int) -> list[float | None]:
    """Mean loss by column, of which ``columns`` reach to the step ``last``; None where no step falls into one."""
    found: list[list[float]] = [[] for _ in range(columns)]
    for step, loss in zip(curve.steps, curve.losses, strict=True):
        found[min(max(step - 1, 0) * columns // max(last, 1), columns - 1)].append(loss)
    return [fmean(some) if some else None for some in found]


def plain_chart(curves: tuple[Curve, Curve], width: int = 80, height: int = HEIGHT) -> list[str]:
    """Lines of ASCII, ``width`` columns at most: ``a`` and ``b``, and ``*`` where both are; empty without any step."""
    last, values = _ends(curves)
    room = width - LABEL - 2
    if not values or room < 8 or height < 2:
        return []
    columns = [in_columns(curve, min(room, last), last) for curve in curves]
    shown = [value for column in columns for value in column if value is not None]
    low, high = min(shown), max(shown)
    rows = [[" "] * len(columns[0]) for _ in range(height)]
    for mark, column in zip(MARKS, columns, strict=True):
        for x, value in enumerate(column):
            if value is not None:
                y = round((high - value) / (high - low) * (height - 1)) if high > low else height // 2
                rows[y][x] = mark if rows[y][x] == " " else BOTH
    labels = {0: high, height - 1: low, height // 2: high - (high - low) * (height // 2) / (height - 1)}
    lines = [
        f"{f'{labels[y]:.3f}' if y in labels else '':>{LABEL}} |{''.join(row)}".rstrip() for y, row in enumerate(rows)
    ]
    end = f"step {last}"
    return [
        *lines,
        f"{'':>{LABEL}} +{'-' * len(columns[0])}",
        f"{'':>{LABEL + 2}}1{end:>{max(len(columns[0]) - 1, 0)}}",
    ]


def curves_svg(curves: tuple[Curve, Curve], names: tuple[str, str]) -> str:
    """One picture, 960 by 420, with axes and a legend. Names are made inert and escaped: it holds no script or link."""
    last, values = _ends(curves)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = (high - low) or 1.0
    wide, tall = _WIDE - _LEFT - 20, _HIGH - _TOP - 40
    parts = []
    for number in range(5):
        y = _TOP + tall * number / 4
        parts.append(f"<line x1='{_LEFT}' y1='{y:.1f}' x2='{_LEFT + wide}' y2='{y:.1f}' stroke='#dddddd'/>")
        parts.append(_text(_LEFT - 8, y + 4, f"{high - span * number / 4:.3f}", "end"))
    for number, (curve, name) in enumerate(zip(curves, names, strict=True)):
        columns = in_columns(curve, min(_POINTS, max(last, 1)), last)
        across = max(len(columns) - 1, 1)
        points = [
            f"{_LEFT + wide * x / across:.1f},{_TOP + tall * (high - value) / span:.1f}"
            for x, value in enumerate(columns)
            if value is not None
        ]
        line = f"<polyline points='{' '.join(points)}' fill='none' stroke='{COLOURS[number]}' stroke-width='1.5'/>"
        parts += [line] if points else []
        parts.append(f"<rect x='{_LEFT + 430 * number}' y='14' width='12' height='12' fill='{COLOURS[number]}'/>")
        parts.append(_text(_LEFT + 18 + 430 * number, 25, inert_line(name)[:54]))
    parts.append(_text(_LEFT, _HIGH - 12, "training loss (nats a token) by optimiser step"))
    parts.append(_text(_LEFT + wide, _HIGH - 12, f"step {last}", "end"))
    head = f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDE}' height='{_HIGH}' viewBox='0 0 {_WIDE} {_HIGH}'"
    return f"{head} {_FONT}><rect width='100%' height='100%' fill='#ffffff'/>{''.join(parts)}</svg>\n"


def _ends(curves: tuple[Curve, Curve]) -> tuple[int, list[float]]:
    """The last step of both, and every loss."""
    steps = [step for curve in curves for step in curve.steps]
    return max(steps, default=0), [loss for curve in curves for loss in curve.losses]


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f"<text x='{x:.0f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(text)}</text>"
