"""What an evaluation came to, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from studio.build.types import SideSummary
from studio.cli.output import cell, out, say
from studio.evaluate.gate_text import bound, label, measured, shown_text, source_text
from studio.evaluate.intervals import Interval
from studio.evaluate.types import Evaluation, Gate

COLOURS = {"PASS": "green", "FAIL": "red", "UNDECIDED": "yellow"}


def print_scores(evaluation: Evaluation) -> None:
    """Base beside tuned, who says so, and what decides nothing."""
    base, tuned = SideSummary.of(evaluation.base), SideSummary.of(evaluation.tuned)
    say(f"{'':<30} {'base':>8} {'tuned':>8}")
    for name, left, right in (
        ("overall (0..10)", base.overall, tuned.overall),
        *((f"{name} (0..2)", base.traits.get(name), tuned.traits.get(name)) for name in evaluation.traits),
        ("violations", base.violations, tuned.violations),
        ("required terms kept", _share(evaluation.base.kept), _share(evaluation.tuned.kept)),
        ("cut at max_tokens", evaluation.base.cut, evaluation.tuned.cut),
        ("latency p95 (s)", base.latency_s, tuned.latency_s),
    ):
        say(f"{name:<30} {_figure(left):>8} {_figure(right):>8}")
    if (delta := evaluation.delta) is not None:
        say(f"tuned less base: {delta.value:+.2f} of 10, 95 %: {delta.low:+.2f} to {delta.high:+.2f}, n {delta.n}")
    say(f"by {source_text(evaluation)}")
    for one in evaluation.shown:
        say(shown_text(one))


def print_gates(gates: Sequence[Gate]) -> None:
    """A line a gate: ``PASS  overall  7.61 >= 7.5``."""
    names = max((len(label(gate.name)) for gate in gates), default=0)
    for gate in gates:
        out.print(_gate(gate, names), soft_wrap=True)


def print_verdict(evaluation: Evaluation) -> None:
    """``trial: undecided, 9 of 12 gates passed``."""
    say(f"{evaluation.verdict}, {tally(evaluation.gates)}")


def tally(gates: Sequence[Gate]) -> str:
    """``11 of 12 gates passed``."""
    return f"{sum(gate.status == 'PASS' for gate in gates)} of {len(gates)} gates passed"


def _gate(gate: Gate, names: int) -> Text:
    status = cell(f"{gate.status:<9}")
    status.stylize(COLOURS[gate.status])
    line = f" {label(gate.name):<{names}} {measured(gate):>8} {bound(gate):<8}  {gate.note}"
    return Text.assemble(status, cell(line.rstrip()))


def _share(found: Interval | None) -> float | None:
    return found.value if found else None


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
