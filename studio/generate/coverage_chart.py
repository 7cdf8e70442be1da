"""The picture of a coverage table: a coloured square a cell with its figure, as SVG without any library."""

from __future__ import annotations

from html import escape
from itertools import groupby

from studio.generate.coverage_map import CoverageMap
from studio.text.inert import inert_line

LABEL, CELL, LINE, TOP = 280, 62, 22, 110
_FONT = "font-family='DejaVu Sans Mono, monospace' font-size='11'"


def heat(table: CoverageMap, row: int, column: int) -> float:
    """0..1, how warm a cell is: of a trait by its mean mark, else by the count against an even part of the row."""
    cell = table.rows[row].cells[column]
    if table.by == "trait":
        return 0.0 if cell.mean is None else cell.mean / 2
    even = table.rows[row].share / max(1, len(table.columns))
    return min(1.0, cell.n / even) if even else float(cell.n > 0)


def figure(table: CoverageMap, row: int, column: int) -> str:
    """``1.8`` of a trait, ``12`` of anything else; ``-`` where there is none."""
    cell = table.rows[row].cells[column]
    if table.by == "trait":
        return "-" if cell.mean is None else f"{cell.mean:.1f}"
    return str(cell.n) if cell.n else "-"


def svg(table: CoverageMap, name: str) -> str:
    """Rows by category, columns as the table has them, their names slanted."""
    width = LABEL + CELL * len(table.columns) + 90
    what = "mean mark, 0 to 2" if table.by == "trait" else "accepted examples"
    drawn = [_text(12, 20, f"{name}: scenario by {table.by}, {what}; {table.accepted} accepted", bold=True)]
    for at, column in enumerate(table.columns):
        x = LABEL + CELL * at + CELL / 2
        drawn.append(
            f"<text x='{x:.0f}' y='{TOP - 8}' transform='rotate(-30 {x:.0f} {TOP - 8})' fill='#222222'>"
            f"{escape(inert_line(column))}</text>"
        )
    y, number = TOP, 0
    for category, rows in groupby(table.rows, key=lambda one: one.category):
        drawn.append(_text(12, y + 15, category, bold=True))
        y += LINE
        for row in rows:
            drawn.append(_text(24, y + 15, f"{row.scenario[:34]} ({row.accepted})"))
            for at in range(len(table.columns)):
                drawn.append(_cell(table, number, at, LABEL + CELL * at, y))
            y, number = y + LINE, number + 1
    height = y + 12
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}' "
        f"{_FONT}><rect width='100%' height='100%' fill='#ffffff'/>{''.join(drawn)}</svg>\n"
    )


def _cell(table: CoverageMap, row: int, column: int, x: float, y: float) -> str:
    warm = heat(table, row, column)
    shade = f"hsl(210 60% {96 - 56 * warm:.0f}%)"
    ink = "#ffffff" if warm > 0.6 else "#222222"
    return (
        f"<rect x='{x:.0f}' y='{y:.0f}' width='{CELL - 2}' height='{LINE - 2}' fill='{shade}'/>"
        f"<text x='{x + CELL / 2:.0f}' y='{y + 14:.0f}' text-anchor='middle' fill='{ink}'>"
        f"{figure(table, row, column)}</text>"
    )


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    style = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.0f}' y='{y:.0f}'{style} fill='#222222'>{escape(inert_line(text))}</text>"
