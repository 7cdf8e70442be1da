"""Measures of base beside tuned, and the gate of each: two bars with their numbers, the interval, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from textual.content import Content

from studio.evaluate.gate_text import bound, label, percent
from studio.evaluate.intervals import Interval
from studio.evaluate.metrics import POINTS
from studio.evaluate.types import Evaluation, Gate, ProbeResult
from studio.store.records import Judgement
from studio.tui.text import UNKNOWN, clip, join, line, lines, pad
from studio.tui.widgets.gates import STYLES
from studio.tui.widgets.layout import bar, facts

BASE_STYLE, TUNED_STYLE = "$secondary", "$primary"
NAME, NUMBER, SPAN, STATUS, BOUND = 14, 5, 10, 9, 9
BAR_LEAST, BAR_MOST = 3, 24


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
    level: float = 0.95

    def told(self, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        whole = value >= 100 or self.name == "examples"
        return f"{value:.0%}" if self.percent else f"{value:.0f}" if whole else f"{value:.2f}"


def measures(evaluation: Evaluation) -> list[Measure]:
    """The whole table of a finished evaluation: every measure, and every gate."""
    base, tuned, won = evaluation.base, evaluation.tuned, evaluation.win_rate
    lost = won.model_copy(update={"value": 1 - won.value}) if won else None
    gates = {gate.name: gate for gate in evaluation.gates}
    slowest = max(base.latency_s or 0.0, tuned.latency_s or 0.0)

    def of(
        name: str, left: Interval | None, right: Interval | None, whole: float, gate: str = "", percent: bool = False
    ) -> Measure:
        return Measure(
            name,
            left.value if left else None,
            right.value if right else None,
            whole,
            (right.low, right.high) if right else None,
            gates.pop(gate, None),
            percent,
            right.level if right else 0.95,
        )

    found = [
        of("overall", base.overall, tuned.overall, 10.0, "overall"),
        *(of(name, base.traits.get(name), tuned.traits.get(name), 2.0, f"trait:{name}") for name in evaluation.traits),
        of("required terms", base.kept, tuned.kept, 1.0, percent=True),
        of("violations", base.violations, tuned.violations, 1.0, "violations", percent=True),
        of("wins", lost, won, 1.0, "win_rate", percent=True),
        Measure("latency s", base.latency_s, tuned.latency_s, slowest, gate=gates.pop("latency_s", None)),
    ]
    rest = [Measure(label(gate.name), None, gate.value, gate=gate) for gate in gates.values()]
    others = [one for one in evaluation.shown if one.name != "latency_s"]
    return [*found, *rest, *(Measure(label(one.name), None, one.value) for one in others)]


def measures_so_far(results: Sequence[ProbeResult]) -> list[Measure]:
    """Plain means of what was scored until now; intervals and gates come with the whole evaluation."""
    base = [one.base_judgement for one in results if one.base_judgement.verdict != "error"]
    tuned = [one.tuned_judgement for one in results if one.tuned_judgement.verdict != "error"]
    won = _mean(POINTS[one.comparison.winner] for one in results if one.comparison)
    names = dict.fromkeys(name for one in tuned for name in one.traits)
    return [
        Measure("overall", _mean(one.total for one in base), _mean(one.total for one in tuned), 10.0),
        *(Measure(name, _trait(base, name), _trait(tuned, name), 2.0) for name in names),
        Measure("wins", None if won is None else 1 - won, won, 1.0, percent=True),
    ]


def _trait(judgements: Sequence[Judgement], name: str) -> float | None:
    return _mean(one.traits[name].score for one in judgements if name in one.traits)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def measures_content(found: Sequence[Measure], width: int) -> Content:
    """A heading, a line a measure, and the notes of the gates that are not passed."""
    gates = [one.gate for one in found if one.gate]
    fixed = NAME + 2 * (NUMBER + 1) + 3 + (SPAN + STATUS + BOUND + 3 if gates else 0)
    level = max((one.level for one in found), default=0.95)
    room = max(min((width - fixed) // 2, BAR_MOST), BAR_LEAST)
    heading = f"{'':<{NAME}} {'base':>{NUMBER}} {'':<{room}} {'tuned':>{NUMBER}} {'':<{room}}"
    head = join((heading + (f" {percent(level):<{SPAN}} gate" if gates else ""), "$quiet"))
    return lines([head, *(_line(one, room) for one in found), *_notes(gates, width)])


def _notes(gates: Sequence[Gate], width: int) -> list[Content]:
    """The notes of the gates that are not passed, each once and whole, with the gates that it is of."""
    names: dict[str, list[str]] = {}
    for gate in gates:
        interval_alone = gate.status == "FAIL" and gate.note.startswith("95 %")  # that is in the line itself
        if gate.note and gate.status != "PASS" and not interval_alone:
            names.setdefault(gate.note, []).append(label(gate.name))
    pairs = [(", ".join(of), line(note)) for note, of in names.items()]
    return [facts(pairs, width, name_width=NAME)] if pairs else []


def _line(one: Measure, room: int) -> Content:
    def drawn(value: float | None, style: str) -> Content:
        return Content(" " * room) if value is None or one.whole <= 0 else bar(value, one.whole, room, style)

    told = join(
        f"{pad(one.name, NAME)} {one.told(one.base) if one.whole else '':>{NUMBER}} ",
        drawn(one.base, BASE_STYLE),
        (f" {one.told(one.tuned):>{NUMBER}} ", "bold"),
        drawn(one.tuned, TUNED_STYLE),
    )
    span, gate = f"{one.told(one.span[0])}-{one.told(one.span[1])}" if one.span else "", one.gate
    if gate is None:
        return join(told, (f" {span}", "$quiet"))
    return join(
        told,
        (f" {clip(span, SPAN):<{SPAN}} ", "$quiet"),
        (f"{gate.status:<{STATUS}} ", STYLES[gate.status]),
        (f"{bound(gate):<{BOUND}}", "$quiet"),
    )


def categories_content(evaluation: Evaluation, width: int) -> Content:
    """Mean overall score by category of probes."""
    sides = evaluation.categories.items()
    return measures_content([Measure(name, one.get("base"), one.get("tuned"), 10.0) for name, one in sides], width)
