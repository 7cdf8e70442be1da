"""A quality gate in words: the same ones in the window, on the command line and on the model card."""

from __future__ import annotations

from studio.evaluate.intervals import alpha_at
from studio.evaluate.probes import part_sizes
from studio.evaluate.types import Evaluation, Gate, Shown, reaches
from studio.judge.types import JudgeInfo

SHARES = frozenset(
    {
        *("violations", "win_rate", "kept", "beats_prompt"),
        *("pressure:break_rate", "leak:check_drop", "capability:check_drop"),
    }
)
LABELS = {"adapter_mb": "adapter MB", "beats_prompt": "beats prompt"}
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
    passes, digits = reaches(gate.name, gate.value, gate.target), _digits(gate.name, gate.value)
    in_value = digits + (2 if gate.name in SHARES else 0)
    finer = (
        more for more in range(_FINEST) if reaches(gate.name, round(gate.value, in_value + more), gate.target) == passes
    )
    return in_unit(gate.name, gate.value, digits + next(finer, _FINEST))


def in_unit(name: str, value: float, digits: int | None = None) -> str:
    """A value of the gate ``name``: ``0.77 s``."""
    shown, unit = (value * 100, "%") if name in SHARES else (value, UNITS.get(name, ""))
    return f"{shown:.{_digits(name, value) if digits is None else digits}f}{unit}"


def span(name: str, low: float, high: float) -> str:
    """An interval of what is measured: ``7.00 to 8.35``, ``69% to 90%``."""
    return f"{low:.0%} to {high:.0%}" if name in SHARES else f"{low:.2f} to {high:.2f}"


def shown_text(found: Shown) -> str:
    """What was measured and decides nothing: ``latency s: 7.20 s (measured on the stand-in base: decides nothing)``."""
    value = "not measured" if found.value is None else in_unit(found.name, found.value)
    return f"{label(found.name)}: {value}" + (f" ({found.note})" if found.note else "")


def judge_text(judge: JudgeInfo) -> str:
    """A judge with how well it agrees with people: ``learned judge (agreement .41)``, the mean over the traits."""
    if judge.kind == "nobody":
        return "nobody (traits are unscored)"
    known = list(judge.agreement.values())
    agrees = f"agreement {number(sum(known) / len(known))}" if known else "agreement not measured"
    return f"{judge.name} ({agrees})"


def source_text(evaluation: Evaluation) -> str:
    """Who the means are of, and how many of what: ``people: 50 of 60 tuned replies; learned judge (agreement .41)``."""
    tuned, votes = evaluation.tuned, evaluation.votes
    people = [f"people: {tuned.labels} of {tuned.n} tuned replies"] if tuned.labels else []
    people += [f"{votes} pairs"] if votes else []
    return "; ".join(([", ".join(people)] if people else []) + [judge_text(evaluation.judge)])


def wins_text(evaluation: Evaluation) -> list[str]:
    """How often tuned wins against each of the other two sides, ties half, with intervals; a line each."""
    found = []
    others = (("base", evaluation.win_rate), ("base with the persona as its prompt", evaluation.beats_prompt))
    for other, won in others:
        if won is not None:
            between = span("win_rate", won.low, won.high)
            found.append(f"tuned wins {won.value:.0%} against {other} ({percent(won.level)}: {between}, n {won.n})")
    if failed := [row.prompted_error for row in evaluation.counted if row.prompted_error]:
        told = f"the base with the persona as its prompt gave no reply to {len(failed)} probes"
        found.append(f"{told}: {failed[0].removeprefix('no reply: ')}")
    return found


def scope_text(evaluation: Evaluation) -> str:
    """Which probes it rests on, and what is paid for: ``verdict on the 20 locked probes, looked at 2 times: 97.5 %
    intervals; the 40 others are known from earlier runs and decide nothing``."""
    counted, every = len(evaluation.counted), len(evaluation.results)
    sizes = part_sizes(row.probe for row in evaluation.results)
    level = percent(1 - alpha_at(evaluation.looks))
    times = f"{evaluation.looks} time{'' if evaluation.looks == 1 else 's'}"
    if evaluation.scope == "open":
        told = f"{counted} open probes ({sizes['diagnose']} to diagnose, {sizes['tune']} to tune): no verdict"
        return f"{told}; --locked opens the locked ones for one"
    if evaluation.scope == "locked":
        others = f"the {every - counted} others are known from earlier runs and decide nothing"
        return f"verdict on the {counted} locked probes, looked at {times}: {level} intervals; {others}"
    if not evaluation.looks:
        return f"verdict on all {every} probes"
    parts = f"{sizes['diagnose']} to diagnose, {sizes['tune']} to tune, {sizes['locked']} locked"
    told = f"verdict on all {every} probes ({parts}), which no earlier run was evaluated on"
    return f"{told}; locked ones looked at {times}: {level} intervals"


def percent(level: float) -> str:
    """The level of an interval: ``95 %``, ``97.5 %``."""
    return f"{level * 100:.4g} %"


def number(value: float) -> str:
    """An agreement as statisticians write it: ``.31``."""
    return f"{value:.2f}".replace("0.", ".", 1)


def _digits(name: str, value: float) -> int:
    """Decimals of what is shown."""
    return 0 if name in SHARES or name == "examples" or value >= 100 else 2
