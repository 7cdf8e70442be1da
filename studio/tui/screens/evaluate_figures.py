"""Base beside tuned: each measure as two bars with their numbers and the interval of the tuned one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from textual.content import Content

from studio.evaluate.types import Evaluation, Interval, ProbeResult, SideMetrics
from studio.store.records import Judgement
from studio.tui.figures import UNKNOWN
from studio.tui.text import clip, join, lines
from studio.tui.widgets.bars import bar

BASE_STYLE, TUNED_STYLE = "$secondary", "$primary"
NAME, NUMBER, SPAN = 13, 5, 11


@dataclass(frozen=True)
class Measure:
    """One line of the table. ``whole`` is what a full bar means; ``span`` the tuned one's 95 % interval."""

    name: str
    base: float | None
    tuned: float | None
    whole: float
    span: tuple[float, float] | None = None
    percent: bool = False

    def told(self, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        return f"{value:.0%}" if self.percent else f"{value:.2f}"


def measures(evaluation: Evaluation) -> list[Measure]:
    """The whole table of a finished evaluation."""
    base, tuned, won = evaluation.base, evaluation.tuned, evaluation.win_rate
    traits = [_measure(name, base.traits.get(name), tuned.traits.get(name), 2.0) for name in tuned.traits]
    slowest = max(base.latency_s or 0, tuned.latency_s or 0)
    return [
        _measure("overall", base.overall, tuned.overall, 10.0),
        *traits,
        _measure("kept words", base.kept, tuned.kept, 1.0, percent=True),
        _measure("violations", base.violations, tuned.violations, 1.0, percent=True),
        Measure("wins", 1 - won.value if won else None, won.value if won else None, 1.0, _span(won), percent=True),
        Measure("latency s", base.latency_s, tuned.latency_s, slowest),
    ]


def measures_so_far(results: Sequence[ProbeResult]) -> list[Measure]:
    """Plain means of what was scored until now; intervals come with the whole evaluation."""
    base, tuned = [one.base_judgement for one in results], [one.tuned_judgement for one in results]
    names = dict.fromkeys(name for one in tuned for name in one.traits)
    won = fmean({"tuned": 1.0, "tie": 0.5, "base": 0.0}[one.comparison.winner] for one in results) if results else None
    return [
        Measure("overall", _total(base), _total(tuned), 10.0),
        *(Measure(name, _trait(base, name), _trait(tuned, name), 2.0) for name in names),
        Measure("wins", None if won is None else 1 - won, won, 1.0, percent=True),
    ]


def measures_content(found: Sequence[Measure], width: int) -> Content:
    """A heading and a line a measure, as wide as there is room for."""
    spans = any(one.span for one in found)
    fixed = NAME + 1 + 2 * (NUMBER + 1) + 2 + (SPAN if spans else 0)
    room = max(min((width - fixed) // 2, 30), 3)
    heading = f"{'':<{NAME}} {'base':>{NUMBER}} {'':<{room}}  {'tuned':>{NUMBER}} {'':<{room}}"
    head = join((heading, "$quiet"), ("    95 %" if spans else "", "$quiet"))
    return lines([head, *(_line(one, room) for one in found)])


def _line(one: Measure, room: int) -> Content:
    span = f" {one.told(one.span[0])}-{one.told(one.span[1])}" if one.span else ""
    return join(
        f"{clip(one.name, NAME):<{NAME}} ",
        (f"{one.told(one.base):>{NUMBER}} ", ""),
        _bar(one.base, one.whole, room, BASE_STYLE),
        "  ",
        (f"{one.told(one.tuned):>{NUMBER}} ", "bold"),
        _bar(one.tuned, one.whole, room, TUNED_STYLE),
        (span, "$quiet"),
    )


def _bar(value: float | None, whole: float, room: int, style: str) -> Content:
    return Content(" " * room) if value is None or whole <= 0 else bar(value, whole, room, style)


def categories_content(evaluation: Evaluation, width: int) -> Content:
    """Mean overall score by category of probes."""
    found = [
        Measure(name, sides.get("base"), sides.get("tuned"), 10.0) for name, sides in evaluation.categories.items()
    ]
    return measures_content(found, width)


def errors_told(base: SideMetrics, tuned: SideMetrics) -> str:
    """Replies that could not be judged, which count neither way."""
    return f"{base.errors + tuned.errors} replies could not be judged" if base.errors + tuned.errors else ""


def _measure(
    name: str, base: Interval | None, tuned: Interval | None, whole: float, *, percent: bool = False
) -> Measure:
    left, right = base.value if base else None, tuned.value if tuned else None
    return Measure(name, left, right, whole, _span(tuned), percent)


def _span(interval: Interval | None) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval else None


def _total(judgements: Sequence[Judgement]) -> float | None:
    totals = [one.total for one in judgements if one.total is not None and one.verdict != "error"]
    return fmean(totals) if totals else None


def _trait(judgements: Sequence[Judgement], name: str) -> float | None:
    scores = [one.traits[name].score for one in judgements if name in one.traits and one.verdict != "error"]
    return fmean(scores) if scores else None
