"""The quality gates: each criterion of ``success`` against what was measured."""

from __future__ import annotations

from studio.evaluate.gate_text import span
from studio.evaluate.types import Gate, GateStatus, Interval, SideMetrics, reaches
from studio.spec import Spec

MIN_SAMPLES = 20
"""Probes under which a mean, a rate or a 95th percentile decides nothing: a 95 % interval of a rate is then wider than
+-0.2, and the percentile is the slowest of them."""
MAX_ERRORS = 0.05
"""The share of replies without a judgement above which the judged ones may not stand for all."""


def gates(
    spec: Spec,
    tuned: SideMetrics,
    win_rate: Interval | None,
    *,
    not_compared: int = 0,
    train_loss: float | None,
    adapter_mb: float | None,
    examples: int,
) -> tuple[Gate, ...]:
    """One gate a criterion, in the order of the spec's ``success``; one a trait.

    A gate is UNDECIDED where nothing was measured, too few probes were, or more than one in twenty could not be judged
    (compared: ``not_compared``, for the win rate); never PASS for want of evidence.
    """
    success, errors = spec.success, tuned.errors
    traits = ((name, tuned.traits.get(name)) for name in spec.trait_names)
    return (
        _sampled("overall", tuned.overall, success.overall, errors),
        *(_sampled(f"trait:{name}", measured, success.trait, errors) for name, measured in traits),
        _sampled("violations", tuned.violations, success.violations, errors),
        _sampled("win_rate", win_rate, success.win_rate, not_compared),
        *(_single("train_loss", train_loss, limit) for limit in (success.train_loss,) if limit is not None),
        *(_single("adapter_mb", adapter_mb, limit) for limit in (success.adapter_mb,) if limit is not None),
        *(_timed("latency_s", tuned, limit) for limit in (success.latency_s,) if limit is not None),
        _single("examples", float(examples), float(success.examples)),
    )


def _sampled(name: str, measured: Interval | None, target: float, errors: int) -> Gate:
    unjudged = f"{errors} could not be judged" if errors else ""
    if measured is None:
        note = _joined("not measured: no judged replies", unjudged)
        return Gate(name=name, target=target, value=None, status="UNDECIDED", note=note)
    asked = measured.n + errors
    if asked < MIN_SAMPLES:
        note = _joined(f"{MIN_SAMPLES - asked} more held-out probes needed", unjudged)
    elif errors > MAX_ERRORS * asked or measured.n < MIN_SAMPLES:
        note = f"{errors} of {asked} could not be judged; evaluate again"
    else:
        note = _joined(f"95 %: {span(name, measured.low, measured.high)}, n {measured.n}", unjudged)
        return _decided(name, measured.value, target, note)
    return Gate(name=name, target=target, value=measured.value, status="UNDECIDED", note=note)


def _timed(name: str, side: SideMetrics, target: float) -> Gate:
    if side.latency_s is None or side.timed >= MIN_SAMPLES:
        note = f"95th percentile of {side.timed} timed replies"
        return _single(name, side.latency_s, target, note)
    note = f"{MIN_SAMPLES - side.timed} more timed replies needed"
    return Gate(name=name, target=target, value=side.latency_s, status="UNDECIDED", note=note)


def _single(name: str, value: float | None, target: float, note: str = "") -> Gate:
    if value is None:
        return Gate(name=name, target=target, value=None, status="UNDECIDED", note="not measured")
    return _decided(name, value, target, note)


def _decided(name: str, value: float, target: float, note: str) -> Gate:
    status: GateStatus = "PASS" if reaches(name, value, target) else "FAIL"
    return Gate(name=name, target=target, value=value, status=status, note=note)


def _joined(*notes: str) -> str:
    return ", ".join(note for note in notes if note)
