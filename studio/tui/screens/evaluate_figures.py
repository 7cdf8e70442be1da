"""Base beside tuned, and the gate of each: two bars with their numbers, the interval, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from textual.content import Content

from studio.evaluate.gate_text import bound, label
from studio.evaluate.intervals import Interval
from studio.evaluate.metrics import POINTS
from studio.evaluate.types import Evaluation, Gate, ProbeResult, SideMetrics
from studio.store.records import Judgement
from studio.tui.screens.gate_lines import STYLES
from studio.tui.text import UNKNOWN, clip, join, line, lines, pad
from studio.tui.widgets.layout import bar, facts

BASE_STYLE, TUNED_STYLE = "$secondary", "$primary"
NAME, NUMBER, SPAN, STATUS, BOUND = 14, 5, 10, 9, 9
BAR = 3, 24


@dataclass(frozen=True)
class Measure:
    """One line of the table. ``whole`` is what a full bar means, 0 for no bar; ``span`` the tuned side's 95 %."""

    name: str
    base: float | None
    tuned: float | None
    whole: float = 0.0
    span: tuple[float, float] | None = None
    gate: Gate | None = None
    percent: bool = False

    def told(self, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        whole = value >= 100 or self.name == "examples"
        return f"{value:.0%}" if self.percent else f"{value:.0f}" if whole else f"{value:.2f}"


def measures(evaluation: Evaluation) -> list[Measure]:
    """The whole table of a finished evaluation: every measure, and every gate."""
    base, tuned, won = evaluation.base, evaluation.tuned, evaluation.win_rate
    gates = {gate.name: gate for gate in evaluation.gates}
    slowest = max(base.latency_s or 0.0, tuned.latency_s or 0.0)
    found = [
        _measure("overall", base.overall, tuned.overall, 10.0, gates.pop("overall", None)),
        *(
            _measure(name, base.traits.get(name), tuned.traits.get(name), 2.0, gates.pop(f"trait:{name}", None))
            for name in evaluation.traits
        ),
        _measure("required terms", base.kept, tuned.kept, 1.0, percent=True),
        _measure("violations", base.violations, tuned.violations, 1.0, gates.pop("violations", None), percent=True),
        Measure("wins", _lost(won), _won(won), 1.0, _span(won), gates.pop("win_rate", None), percent=True),
        Measure("latency s", base.latency_s, tuned.latency_s, slowest, gate=gates.pop("latency_s", None)),
    ]
    rest = [Measure(label(gate.name), None, gate.value, gate=gate) for gate in gates.values()]
    others = [one for one in evaluation.shown if one.name != "latency_s"]
    return [*found, *rest, *(Measure(label(one.name), None, one.value) for one in others)]


def measures_so_far(results: Sequence[ProbeResult]) -> list[Measure]:
    """Plain means of what was scored until now; intervals and gates come with the whole evaluation."""
    base, tuned = [one.base_judgement for one in results], [one.tuned_judgement for one in results]
    names = dict.fromkeys(name for one in tuned for name in one.traits)
    points = [POINTS[one.comparison.winner] for one in results if one.comparison]
    won = fmean(points) if points else None
    return [
        Measure("overall", _total(base), _total(tuned), 10.0),
        *(Measure(name, _trait(base, name), _trait(tuned, name), 2.0) for name in names),
        Measure("wins", None if won is None else 1 - won, won, 1.0, percent=True),
    ]


def measures_content(found: Sequence[Measure], width: int) -> Content:
    """A heading, a line a measure, and the notes of the gates that are not passed."""
    gated = any(one.gate for one in found)
    fixed = NAME + 2 * (NUMBER + 1) + 3 + (SPAN + STATUS + BOUND + 3 if gated else 0)
    least, most = BAR
    room = max(min((width - fixed) // 2, most), least)
    heading = f"{'':<{NAME}} {'base':>{NUMBER}} {'':<{room}} {'tuned':>{NUMBER}} {'':<{room}}"
    head = join((heading + (f" {'95 %':<{SPAN}} gate" if gated else ""), "$quiet"))
    return lines(
        [head, *(_line(one, room) for one in found), *notes_content([one.gate for one in found if one.gate], width)]
    )


def notes_content(gates: Sequence[Gate], width: int) -> list[Content]:
    """The notes of the gates that are not passed, each once and whole, with the gates that it is of."""
    names: dict[str, list[str]] = {}
    for gate in gates:
        interval_alone = gate.status == "FAIL" and gate.note.startswith("95 %")  # that is in the line itself
        if gate.note and gate.status != "PASS" and not interval_alone:
            names.setdefault(gate.note, []).append(label(gate.name))
    pairs = [(", ".join(of), line(note)) for note, of in names.items()]
    return [facts(pairs, width, name_width=NAME)] if pairs else []


def _line(one: Measure, room: int) -> Content:
    figures = join(
        f"{pad(one.name, NAME)} ",
        (f"{one.told(one.base) if one.whole else '':>{NUMBER}} ", ""),
        _bar(one.base, one.whole, room, BASE_STYLE),
        (f" {one.told(one.tuned):>{NUMBER}} ", "bold"),
        _bar(one.tuned, one.whole, room, TUNED_STYLE),
    )
    span = f"{one.told(one.span[0])}-{one.told(one.span[1])}" if one.span else ""
    if one.gate is None:
        return join(figures, (f" {span}", "$quiet"))
    gate = one.gate
    return join(
        figures,
        (f" {clip(span, SPAN):<{SPAN}} ", "$quiet"),
        (f"{gate.status:<{STATUS}} ", STYLES[gate.status]),
        (f"{bound(gate):<{BOUND}}", "$quiet"),
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
    name: str,
    base: Interval | None,
    tuned: Interval | None,
    whole: float,
    gate: Gate | None = None,
    *,
    percent: bool = False,
) -> Measure:
    left, right = base.value if base else None, tuned.value if tuned else None
    return Measure(name, left, right, whole, _span(tuned), gate, percent)


def _span(interval: Interval | None) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval else None


def _won(interval: Interval | None) -> float | None:
    return interval.value if interval else None


def _lost(interval: Interval | None) -> float | None:
    return 1 - interval.value if interval else None


def _total(judgements: Sequence[Judgement]) -> float | None:
    totals = [one.total for one in judgements if one.total is not None and one.verdict != "error"]
    return fmean(totals) if totals else None


def _trait(judgements: Sequence[Judgement], name: str) -> float | None:
    scores = [one.traits[name].score for one in judgements if name in one.traits and one.verdict != "error"]
    return fmean(scores) if scores else None
