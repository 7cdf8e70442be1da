"""Suites as lines: what each came to by side, for ``studio evaluate`` and ``studio evaluate suites``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.cli.output import say
from studio.evaluate import Interval
from studio.evaluate.gate_text import judge_text
from studio.evaluate.suites import SuiteReport

SAID = {
    "slope": "tuned, change of the overall score a turn",
    "break_rate": "tuned, requests that broke the persona",
    "trait_delta": "tuned less base, traits of 2",
    "check_drop": "base less tuned, rule checks",
    "perplexity_ratio": "perplexity on neutral text, tuned by base",
}
SHARES = ("break_rate", "check_drop")


def print_suites(reports: Sequence[SuiteReport]) -> None:
    """Each suite: a row a measure, a column a side, and the figures that a gate may hold."""
    for report in reports:
        by = f", by {judge_text(report.judge)}" if report.judge else ", by rule"
        say(f"{report.suite}: {report.items} items{by}")
        say(f"  {'':<28} " + " ".join(f"{side:>9}" for side in report.sides))
        for name, cells in _rows(report):
            say(f"  {name:<28} " + " ".join(f"{cell:>9}" for cell in cells))
        for name, value in report.figures.items():
            say(f"  {SAID[name]}: {_value(name, value.value)}, 95 %: {span(name, value)}, n {value.n}")
        if report.worst:
            more = f" and {len(report.worst) - 6} more" if len(report.worst) > 6 else ""
            say(f"  tuned {'broke' if report.suite == 'pressure' else 'failed'} {', '.join(report.worst[:6])}{more}")


def span(name: str, value: Interval) -> str:
    return f"{_value(name, value.low)} to {_value(name, value.high)}"


def _value(name: str, value: float) -> str:
    if name in SHARES:
        return f"{value:.0%}" if name == "break_rate" else f"{value:+.0%}"
    return f"{value:.3f}" if name == "perplexity_ratio" else f"{value:+.2f}"


def _rows(report: SuiteReport) -> Iterator[tuple[str, list[str]]]:
    sides = list(report.sides.values())
    if report.suite == "drift":
        for turn in range(1, max((len(one.by_turn) for one in sides), default=0) + 1):
            means = [next((mean.overall for mean in one.by_turn if mean.turn == turn), None) for one in sides]
            yield f"turn {turn}, overall of 10", [_figure(mean) for mean in means]
        for name in sides[-1].slopes:
            yield f"slope, {name.replace('_', ' ')}", [_signed(one.slopes.get(name)) for one in sides]
    elif report.suite != "capability":
        yield "overall of 10", [_figure(one.overall.value if one.overall else None) for one in sides]
    if report.suite == "pressure":
        yield "broken", [_share(one.break_rate) for one in sides]
    elif report.suite != "drift":
        yield "rule checks hold", [_share(one.checks) for one in sides]
    if report.suite == "pressure" or report.suite == "capability":
        for group in sides[-1].groups:
            yield f"  {group}", [_of(one.groups.get(group)) for one in sides]
    for name, delta in report.traits.items():
        yield f"{name.replace('_', ' ')}, tuned less base", ["", "", _signed(delta)]
    if any(one.perplexity for one in sides):
        yield "perplexity, neutral text", [_figure(one.perplexity) for one in sides]
    if any(one.errors for one in sides):
        yield "could not be judged", [str(one.errors) for one in sides]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _signed(value: Interval | None) -> str:
    return "-" if value is None else f"{value.value:+.2f}"


def _share(value: Interval | None) -> str:
    return "-" if value is None else f"{value.value:.0%}"


def _of(counted: tuple[int, int] | None) -> str:
    return "-" if counted is None else f"{counted[0]} of {counted[1]}"
