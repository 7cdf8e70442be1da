"""The quality gates: each criterion of ``success`` against what was measured."""

from __future__ import annotations

from collections.abc import Callable

from studio.evaluate.types import Gate, GateStatus, Interval, SideMetrics
from studio.spec.models import Spec

MIN_SAMPLES = 20
"""Probes under which a mean or a rate decides nothing: a 95 % interval of a rate is then wider than +-0.2."""

Reaches = Callable[[float, float], bool]


def at_least(value: float, target: float) -> bool:
    return value >= target


def at_most(value: float, target: float) -> bool:
    return value <= target


def gates(
    spec: Spec,
    tuned: SideMetrics,
    win_rate: Interval | None,
    *,
    train_loss: float | None,
    adapter_mb: float | None,
    examples: int,
) -> tuple[Gate, ...]:
    """One gate a criterion, in the order of the spec's ``success``; one a trait.

    A gate is UNDECIDED where nothing was measured or too few probes were; never PASS for want of evidence.
    """
    success = spec.success
    return (
        _sampled("overall", tuned.overall, success.overall, at_least),
        *(_sampled(f"trait:{name}", tuned.traits.get(name), success.trait, at_least) for name in spec.trait_names),
        _sampled("violations", tuned.violations, success.violations, at_most),
        _sampled("win_rate", win_rate, success.win_rate, at_least),
        _single("train_loss", train_loss, success.train_loss, at_most),
        _single("adapter_mb", adapter_mb, success.adapter_mb, at_most),
        _single("latency_s", tuned.latency_s, success.latency_s, at_most),
        _single("examples", float(examples), float(success.examples), at_least),
    )


def _sampled(name: str, measured: Interval | None, target: float, reaches: Reaches) -> Gate:
    if measured is None:
        return Gate(name=name, target=target, value=None, status="UNDECIDED", note="not measured: no judged replies")
    if measured.n < MIN_SAMPLES:
        note = f"{MIN_SAMPLES - measured.n} more held-out probes needed"
        return Gate(name=name, target=target, value=measured.value, status="UNDECIDED", note=note)
    note = f"95 %: {measured.low:.2f} to {measured.high:.2f}, n {measured.n}"
    return Gate(
        name=name, target=target, value=measured.value, status=_status(measured.value, target, reaches), note=note
    )


def _single(name: str, value: float | None, target: float, reaches: Reaches) -> Gate:
    if value is None:
        return Gate(name=name, target=target, value=None, status="UNDECIDED", note="not measured")
    return Gate(name=name, target=target, value=value, status=_status(value, target, reaches))


def _status(value: float, target: float, reaches: Reaches) -> GateStatus:
    return "PASS" if reaches(value, target) else "FAIL"
