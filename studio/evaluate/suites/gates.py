"""Gates of suites: only what the spec's ``success.suites`` names, by the 95 % interval of the figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from studio.evaluate.suites.types import SUITES, SuiteReport
from studio.evaluate.types import Gate, GateStatus, bound_of, reaches
from studio.judge.types import JudgeInfo
from studio.spec import Success

BY_JUDGE = frozenset({"slope", "break_rate", "trait_delta"})
"""Figures that rest on a judge's marks; rules and log-probabilities need nobody's agreement."""


def suite_gates(
    success: Success, reports: Sequence[SuiteReport], distrust: Callable[[JudgeInfo], str]
) -> Iterator[Gate]:
    """One gate a target. ``distrust`` tells why a judge may not decide, or nothing."""
    if success.suites is None:
        return
    found = {report.suite: report for report in reports}
    for suite in SUITES:
        for figure, target in getattr(success.suites, suite).model_dump(exclude_none=True).items():
            yield _gate(f"{suite}:{figure}", figure, target, found.get(suite), distrust)


def _gate(
    name: str, figure: str, target: float, report: SuiteReport | None, distrust: Callable[[JudgeInfo], str]
) -> Gate:
    if report is None:
        note = f"not measured: studio evaluate suites SPEC --suite {name.split(':')[0]}"
        return Gate(name=name, target=target, value=None, status="UNDECIDED", note=note)
    value = report.figures.get(figure)
    if value is None:
        return Gate(name=name, target=target, value=None, status="UNDECIDED", note="not measured: no judged replies")
    status: GateStatus = "UNDECIDED"
    note = f"95 %: {value.low:.2f} to {value.high:.2f}, n {value.n}"
    why = distrust(report.judge) if figure in BY_JUDGE and report.judge is not None else ""
    at_most = bound_of(name) == "<="
    if why:
        note = f"{why}; {note}"
    elif reaches(name, value.high if at_most else value.low, target):
        status = "PASS"
    elif not reaches(name, value.low if at_most else value.high, target):
        status = "FAIL"
    else:
        more = value.more_to_decide(target)
        note = f"{'too close to tell' if more is None else f'about {more} more items'}; {note}"
    return Gate(name=name, target=target, value=value.value, status=status, note=note)
