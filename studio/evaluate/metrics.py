"""Means and rates with their 95 % intervals.

Rates: Wilson (1927). Means: percentile bootstrap over probes, the unit that was sampled (Efron, 1979).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import fmean

from studio.evaluate.types import Interval, ProbeResult, Side, SideMetrics
from studio.store.records import Judgement

Z95 = 1.959964
RESAMPLES = 2000


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """The mean of ``values``; None where there are none."""
    if not values:
        return None
    draw = random.Random(seed)
    size = len(values)
    means = sorted(fmean(draw.choices(values, k=size)) for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
    return Interval(value=fmean(values), low=low, high=high, n=size)


def rate_interval(successes: float, size: int) -> Interval | None:
    """A share of ``size`` samples, 0..1 (``successes`` may count halves, for ties); None where ``size`` is 0."""
    if size == 0:
        return None
    share = successes / size
    centre = (share + Z95**2 / (2 * size)) / (1 + Z95**2 / size)
    margin = Z95 / (1 + Z95**2 / size) * math.sqrt(share * (1 - share) / size + Z95**2 / (4 * size**2))
    return Interval(value=share, low=max(0.0, centre - margin), high=min(1.0, centre + margin), n=size)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of ``values`` do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def side_metrics(results: Sequence[ProbeResult], side: Side) -> SideMetrics:
    """What the judgements say of one side. Replies that could not be judged are counted as errors and left out."""
    judged = [scored for result in results if (scored := judgement_of(result, side)).verdict != "error"]
    kept = [kept for result in results if (kept := kept_of(result, side)) is not None]
    times = [seconds for result in results if (seconds := _seconds(result, side)) is not None]
    names = dict.fromkeys(name for judgement in judged for name in judgement.traits)
    return SideMetrics(
        overall=mean_interval([judgement.total for judgement in judged if judgement.total is not None]),
        traits={name: interval for name in names if (interval := mean_interval(_trait(judged, name)))},
        violations=rate_interval(sum(map(breaks_a_boundary, judged)), len(judged)),
        kept=rate_interval(sum(kept), len(kept)),
        latency_s=percentile(times, 0.95),
        timed=len(times),
        errors=len(results) - len(judged),
    )


def win_rate(results: Sequence[ProbeResult]) -> Interval | None:
    """The tuned side's share of wins; a tie counts half, a comparison that failed counts not at all."""
    points = {"tuned": 1.0, "tie": 0.5, "base": 0.0}
    compared = [points[result.comparison.winner] for result in results if result.comparison.error is None]
    return rate_interval(sum(compared), len(compared))


def by_category(results: Sequence[ProbeResult]) -> dict[str, dict[Side, float]]:
    """Mean overall score of both sides by probe category."""
    categories = dict.fromkeys(result.probe.category for result in results)
    table: dict[str, dict[Side, float]] = {}
    for category in categories:
        rows = [result for result in results if result.probe.category == category]
        table[category] = {}
        for side in ("base", "tuned"):
            totals = [total for row in rows if (total := judgement_of(row, side).total) is not None]
            if totals:
                table[category][side] = fmean(totals)
    return table


def judgement_of(result: ProbeResult, side: Side) -> Judgement:
    return result.base_judgement if side == "base" else result.tuned_judgement


def kept_of(result: ProbeResult, side: Side) -> bool | None:
    return result.base_kept if side == "base" else result.tuned_kept


def breaks_a_boundary(judgement: Judgement) -> bool:
    return any(violation.kind == "boundary" for violation in judgement.violations)


def _trait(judged: Sequence[Judgement], name: str) -> list[float]:
    return [float(judgement.traits[name].score) for judgement in judged if name in judgement.traits]


def _seconds(result: ProbeResult, side: Side) -> float | None:
    return result.base_s if side == "base" else result.tuned_s
