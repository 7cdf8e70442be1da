"""Every scenario against its part of its category, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual.content import Content

from studio.generate import ScenarioBalance
from studio.tui.text import cells, join, line, lines, pad

STYLES = {"missing": "$error bold", "under": "$warning bold", "over": "$warning", "even": "$quiet"}
_FIGURES = 22
"""Cells for the figures after a scenario's name."""


def balance_lines(found: Sequence[ScenarioBalance], width: int) -> Content:
    """``  Ask for wind        0 of 4  missing``, below the name of each category, the worst first in it."""
    room = max(min(width - _FIGURES, max((cells(one.scenario) for one in found), default=0)), 8)
    told: list[Content] = []
    for category, rows in groupby(found, key=lambda one: one.category):
        told.append(line(category, "bold $primary"))
        told += [_line(one, room) for one in sorted(rows, key=lambda one: list(STYLES).index(one.standing))]
    return lines(told)


def _line(one: ScenarioBalance, room: int) -> Content:
    return join(
        f"  {pad(one.scenario, room)} ",
        (f"{one.accepted:>4}", "bold"),
        (f" of {one.share:<5.3g}", "$quiet"),
        (one.standing if one.standing != "even" else "", STYLES[one.standing]),
    )
