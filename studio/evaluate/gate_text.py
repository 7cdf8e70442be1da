"""A quality gate in words: the same ones in the window, on the command line and on the model card."""

from __future__ import annotations

from studio.evaluate.types import Gate, reaches

SHARES = frozenset({"violations", "win_rate", "kept"})
LABELS = {"adapter_mb": "adapter MB"}
UNITS = {"adapter_mb": " MB", "latency_s": " s"}
_FINEST = 4
"""Digits that are added at most to tell a value from its target."""


def label(name: str) -> str:
    """``trait:action_oriented`` is ``action oriented``."""
    return LABELS.get(name) or name.removeprefix("trait:").replace("_", " ")


def bound(gate: Gate) -> str:
    """What it takes to pass: ``>= 7.5``."""
    target = f"{gate.target * 100:g}%" if gate.name in SHARES else f"{gate.target:g}{UNITS.get(gate.name, '')}"
    return f"{gate.bound} {target}"


def measured(gate: Gate, unknown: str = "-") -> str:
    """The gate's value in its own unit, with as many digits as it takes to see on which side of the target it is."""
    if gate.value is None:
        return unknown
    passes = reaches(gate.name, gate.value, gate.target)
    finer = (more for more in range(_FINEST) if reaches(gate.name, _rounded(gate, more), gate.target) == passes)
    more = next(finer, _FINEST)
    value, unit = (gate.value * 100, "%") if gate.name in SHARES else (gate.value, UNITS.get(gate.name, ""))
    return f"{value:.{_digits(gate) + more}f}{unit}"


def span(name: str, low: float, high: float) -> str:
    """An interval of what is measured: ``7.00 to 8.35``, ``69% to 90%``."""
    return f"{low:.0%} to {high:.0%}" if name in SHARES else f"{low:.2f} to {high:.2f}"


def _rounded(gate: Gate, more: int) -> float:
    assert gate.value is not None
    return round(gate.value, _digits(gate) + more + (2 if gate.name in SHARES else 0))


def _digits(gate: Gate) -> int:
    """Decimals of what is shown."""
    assert gate.value is not None
    return 0 if gate.name in SHARES or gate.name == "examples" or gate.value >= 100 else 2
