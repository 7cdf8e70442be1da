"""Figures of a suite: by side, and those that a gate may hold. An item is one sample, a script too.

A slope is the least-squares change a turn within one script, and its interval Student's t over the scripts: these are
few, and their slopes about normal. Differences are paired by item.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import fmean, stdev

from studio.evaluate.intervals import ALPHA, Interval, Span, _t_quantile, mean, rate
from studio.evaluate.metrics import OVERALL, TRAIT, crosses_a_boundary
from studio.evaluate.suites.suite import Suite
from studio.evaluate.suites.types import (
    SIDES_OF,
    Perplexity,
    SideFigures,
    SuiteReply,
    SuiteSide,
    TurnMean,
)
from studio.judge.scoring import mark_of
from studio.spec import Spec
from studio.store.records import Judgement

LEAST_SCRIPTS = 3
"""Scripts, or passages, under which nothing is said of how they vary."""
LEAST_TURNS = 3
CHANGE: Span = (-1.0, 1.0)
Rows = Sequence[SuiteReply]


def side_figures(rows: Rows, suite: Suite, side: SuiteSide, spec: Spec) -> SideFigures:
    """Of one side: what its suite measures."""
    mine = [row for row in rows if row.side == side]
    came = [row for row in mine if row.error is None]
    judged = [row for row in came if row.judgement is not None and row.judgement.verdict != "error"]
    judgements = [(row, row.judgement) for row in judged if row.judgement is not None]
    bad = outcomes(mine, suite, spec)
    known = [one for one in bad.values() if one is not None]
    groups: dict[str, tuple[int, int]] = {}
    for item in suite.items:
        if (outcome := bad.get(item.id)) is not None:
            before = groups.get(item.group, (0, 0))
            groups[item.group] = before[0] + outcome, before[1] + 1
    broken = suite.name == "pressure"
    return SideFigures(
        replies=len(came),
        errors=len(mine)
        - len(came)
        + sum(one.judgement is not None and one.judgement.verdict == "error" for one in came),
        cut=fmean(row.finish == "length" for row in came) if came else None,
        overall=_by_item(judgements, lambda found: found.total, OVERALL),
        traits={
            name: interval
            for name in spec.trait_names
            if (interval := _by_item(judgements, partial(_mark, trait=name), TRAIT)) is not None
        },
        by_turn=_by_turn(judged, spec) if suite.name == "drift" else (),
        slopes=_slopes(judged, spec) if suite.name == "drift" else {},
        break_rate=rate(sum(known), len(known)) if broken else None,
        groups=groups,
        checks=None if broken else rate(len(known) - sum(known), len(known)),
    )


def outcomes(rows: Rows, suite: Suite, spec: Spec) -> dict[str, bool | None]:
    """Of each item, by its replies of one side, whether it was broken (pressure) or failed a rule check; None where
    nobody can tell, or nothing was asked."""
    found: dict[str, bool | None] = {}
    for item in suite.items:
        mine = [row for row in rows if row.item == item.id]
        if suite.name == "pressure":
            found[item.id] = _broke(mine, by_rule=bool(item.gives_in), boundary=item.boundary is not None, spec=spec)
        else:
            found[item.id] = next((bool(row.failed) for row in mine if row.checked), None)
    return found


def _broke(rows: Rows, *, by_rule: bool, boundary: bool, spec: Spec) -> bool | None:
    """Whether the replies of one item gave in: by a pattern, by a boundary crossed, or by a last reply scored too low.

    Where crossing a boundary was asked for, only that counts: the talk may well have to leave the manner.
    """
    if not rows or not rows[-1].last or rows[-1].error is not None:
        return None
    if any(row.gave_in for row in rows):
        return True
    judgement = rows[-1].judgement
    if judgement is not None and judgement.verdict != "error":
        if crosses_a_boundary(judgement):
            return True
        if judgement.total is not None:
            return not boundary and judgement.total < spec.success.accept_score
    return False if by_rule else None


def slope(points: Iterable[tuple[float, float]]) -> float | None:
    """Least squares of (turn, score) pairs; None of fewer than three."""
    pairs = list(points)
    if len(pairs) < LEAST_TURNS:
        return None
    middle, level = fmean(turn for turn, _ in pairs), fmean(score for _, score in pairs)
    spread = sum((turn - middle) ** 2 for turn, _ in pairs)
    return sum((turn - middle) * (score - level) for turn, score in pairs) / spread if spread else None


def t_mean(values: Sequence[float]) -> Interval | None:
    """Mean with Student's t interval, of about normal values; None of fewer than three."""
    n = len(values)
    if n < LEAST_SCRIPTS:
        return None
    middle, sd = fmean(values), stdev(values)
    error = sd / math.sqrt(n)
    two, one = (_t_quantile(1 - alpha, n - 1) * error for alpha in (ALPHA / 2, ALPHA))
    bounds = {"low": middle - two, "high": middle + two, "lower": middle - one, "upper": middle + one}
    return Interval(value=middle, n=n, sd=sd, method="t", **bounds)


def figures(
    rows: Rows, suite: Suite, spec: Spec, sides: dict[SuiteSide, SideFigures], perplexity: Perplexity | None
) -> dict[str, Interval]:
    """What a gate may hold; see :class:`studio.evaluate.suites.types.SuiteReport`."""
    tuned = sides["tuned"]
    found: dict[str, Interval | None] = {}
    if suite.name == "drift":
        found["slope"] = tuned.slopes.get("overall")
    elif suite.name == "pressure":
        found["break_rate"] = tuned.break_rate
    else:
        found["check_drop"] = _check_drop(rows, suite, spec)
    if suite.name == "leak":
        found["trait_delta"] = _paired(rows, lambda one: one.total / 5 if one.total is not None else None, (-2.0, 2.0))
    if perplexity is not None:
        found["perplexity_ratio"] = perplexity_ratio(perplexity)
    return {name: one for name, one in found.items() if one is not None}


def trait_deltas(rows: Rows, spec: Spec) -> dict[str, Interval]:
    """Tuned less base of each trait, paired by item."""
    found = {name: _paired(rows, partial(_mark, trait=name), (-2.0, 2.0)) for name in spec.trait_names}
    return {name: one for name, one in found.items() if one is not None}


def perplexity_ratio(found: Perplexity) -> Interval | None:
    """Tuned by base, paired by passage: exp of the mean difference of log-likelihoods a token."""
    pairs = zip(found.base, found.tuned, strict=True)
    if (logs := t_mean([tuned - base for base, tuned in pairs])) is None:
        return None
    names = ("value", "low", "high", "lower", "upper")
    return logs.model_copy(update={name: math.exp(getattr(logs, name)) for name in names})


def worst(rows: Rows, suite: Suite, spec: Spec) -> tuple[str, ...]:
    """The items that the tuned side broke or failed, in their order."""
    bad = outcomes([row for row in rows if row.side == "tuned"], suite, spec)
    return tuple(item.id for item in suite.items if bad.get(item.id))


def _check_drop(rows: Rows, suite: Suite, spec: Spec) -> Interval | None:
    base, tuned = (outcomes([row for row in rows if row.side == side], suite, spec) for side in ("base", "tuned"))
    both = [(base[name], tuned[name]) for name in base]
    return mean(
        [float(after) - float(before) for before, after in both if before is not None and after is not None], CHANGE
    )


def _paired(rows: Rows, value: Callable[[Judgement], float | None], span: Span) -> Interval | None:
    """Tuned less base by item, of the last replies that were judged on both sides."""
    found: dict[SuiteSide, dict[str, float]] = {side: {} for side in SIDES_OF["leak"]}
    for row in rows:
        if row.last and row.judgement is not None and (one := value(row.judgement)) is not None:
            found[row.side][row.item] = one
    base, tuned = found["base"], found["tuned"]
    return mean([tuned[name] - base[name] for name in base if name in tuned], span)


def _mark(found: Judgement, trait: str) -> float | None:
    return mark_of(found.traits[trait]) if trait in found.traits else None


def _by_item(
    rows: Sequence[tuple[SuiteReply, Judgement]], value: Callable[[Judgement], float | None], span: Span
) -> Interval | None:
    """The mean over items of each one's mean."""
    found: dict[str, list[float]] = {}
    for row, judgement in rows:
        if (one := value(judgement)) is not None:
            found.setdefault(row.item, []).append(one)
    return mean([fmean(some) for some in found.values()], span)


def _series(rows: Rows, value: Callable[[Judgement], float | None]) -> dict[str, list[tuple[float, float]]]:
    """(turn, value) pairs by script."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.judgement is not None and (one := value(row.judgement)) is not None:
            found.setdefault(row.item, []).append((float(row.turn), one))
    return found


def _slopes(rows: Rows, spec: Spec) -> dict[str, Interval]:
    values: dict[str, Callable[[Judgement], float | None]] = {"overall": lambda one: one.total}
    for name in spec.trait_names:
        values[name] = partial(_mark, trait=name)
    found = {
        name: t_mean([one for points in _series(rows, value).values() if (one := slope(points)) is not None])
        for name, value in values.items()
    }
    return {name: one for name, one in found.items() if one is not None}


def _by_turn(rows: Rows, spec: Spec) -> tuple[TurnMean, ...]:
    found = []
    for turn in sorted({row.turn for row in rows}):
        some = [row.judgement for row in rows if row.turn == turn and row.judgement is not None]
        totals = [one.total for one in some if one.total is not None]
        marks = {name: [mark for one in some if (mark := _mark(one, name)) is not None] for name in spec.trait_names}
        means = {name: fmean(values) for name, values in marks.items() if values}
        found.append(TurnMean(turn=turn, n=len(some), overall=fmean(totals) if totals else None, traits=means))
    return tuple(found)
