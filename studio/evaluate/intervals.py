"""Confidence intervals of means, rates, differences and judge-corrected means: two-sided, and one-sided bounds.

A sample is one value a prompt: several replies to one prompt are one cluster, and come as their mean
(:func:`by_prompt`). ``alpha`` is what an interval may miss, .05 unless looks are to be paid for (:func:`alpha_at`):
half of it on each side of the interval, all of it beyond a one-sided bound. ``tests/bench/gates.py`` measures how often
each covers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING

from pydantic import Field

from studio.chatml import Frozen
from studio.proportion import wilson

if TYPE_CHECKING:
    import numpy as np

ALPHA = 0.05
"""What an interval may miss, both sides together."""
MIN_LARGE = 50
"""Prompts from which a t interval holds; under them it misses too often (wrong PASS .08 at 20), and betting is used."""
MIN_SPREAD = 5
"""Least ``n min(p, 1 - p)``, with ``p`` the mean as a part of the range, for a t interval: nearer to an end of it too
little varies to know how much does."""
MIN_EVENTS = 10
"""Least events, and replies without one, for Wilson's interval of a rate."""
POWER = 0.8
RESAMPLES = 4000
_ORDERS = 16
"""Orders of the sample that a betting interval is averaged over: a single one depends on who happens to come first."""
_CAP = 0.75
"""Of the largest bet that cannot ruin."""
RATES = ("Wilson", "exact")
Span = tuple[float, float]
"""The least and the most that a value can be."""


class Interval(Frozen):
    """An estimate with its two-sided interval, which decides gates, and the one-sided bounds of the same level."""

    value: float
    low: float
    high: float
    n: int
    """Prompts that it rests on: those with labels where people gave it."""
    lower: float = Field(default_factory=lambda values: values["low"])
    """At least so much, one-sided; where it is not given the end of the interval, which is further off."""
    upper: float = Field(default_factory=lambda values: values["high"])
    sd: float = 0.0
    """Standard deviation between prompts, as it counts: what is left of it where a judge explains a part."""
    method: str = ""
    labels: int = 0
    """How many of ``n`` people labelled; 0: the judge alone."""
    level: float = 1 - ALPHA

    def more_to_decide(self, target: float) -> int | None:
        """Further prompts for a power of .8, were this estimate true: ``(z_a + z_b)^2 s^2 / (m - g)^2 - n``.

        Of a mean at least what it takes to leave the small-sample interval, of a rate at least what none, or all, would
        take. None where the estimate is the target itself.
        """
        gap = abs(self.value - target)
        if gap < 1e-9:
            return None
        side = (1 - self.level) / 2
        z = NormalDist().inv_cdf(1 - side) + NormalDist().inv_cdf(POWER)
        wanted = math.ceil((z * self.sd / gap) ** 2)
        least = math.ceil(math.log(side) / math.log1p(-min(gap, 0.99))) if self.method in RATES else MIN_LARGE
        return max(wanted, least, self.n + 1) - self.n


def alpha_at(look: int) -> float:
    """What the interval of the ``look``-th look (from 1) at the same locked probes may miss: ``.05 / 2^(look - 1)``.

    Alpha spending in a geometric series: a gate is passed by one end of the interval, so wrongly with a chance of
    ``.05 / 2^look`` at each look, and of .05 at all looks that there will ever be together, however they depend on each
    other (union bound; Lan and DeMets, 1983, spend alpha alike in sequential trials). It pays for looking again, not
    for training on what was seen: so the locked probes may not be read by whoever writes examples.
    """
    return ALPHA * 0.5 ** (max(look, 1) - 1)


def by_prompt(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """(prompt, value) pairs as one mean a prompt: the clusters."""
    found: dict[str, list[float]] = {}
    for prompt, value in values:
        found.setdefault(prompt, []).append(value)
    return {prompt: fmean(some) for prompt, some in found.items()}


def mean(values: Sequence[float], span: Span, alpha: float = ALPHA) -> Interval | None:
    """The mean of one value a prompt, each within ``span``; None of none.

    t, corrected for skewness, or the betting interval for small samples, near an end of the range and where nothing
    varies.
    """
    if not values:
        return None
    n, low, high = len(values), *span
    middle, sd = fmean(values), stdev(values) if len(values) > 1 else 0.0
    part = (middle - low) / (high - low)
    if n < MIN_LARGE or sd == 0 or n * min(part, 1 - part) < MIN_SPREAD:
        return _betting(values, span, sd, alpha)
    return student_t(middle, sd**2 / n, _third(values) / n**2, n, span, "t", alpha)


def corrected_mean(
    labelled: Sequence[tuple[float, float]], judged: Sequence[float], span: Span, alpha: float = ALPHA
) -> Interval | None:
    """Prediction-powered mean (PPI++, Angelopoulos et al. 2023, arXiv 2311.01453) of what people would say.

    ``labelled`` are (people's, judge's) values of the prompts that were drawn for labelling, at random, ``judged`` the
    judge's of all others. Any bias of the judge is allowed. The labels alone where they are fewer than
    :data:`MIN_LARGE`, near an end of the range, or where the judge tells nothing.
    """
    said = [people for people, _ in labelled]
    alone = mean(said, span, alpha)
    n, others = len(labelled), len(judged)
    if alone is None or alone.method != "t" or others == 0 or len({judge for _, judge in labelled}) < 2:
        return alone
    judge_mean = fmean(judge for _, judge in labelled)
    covariance = sum((y - alone.value) * (f - judge_mean) for y, f in labelled) / (n - 1)
    variance = stdev(f for _, f in labelled) ** 2
    weight = min(max(covariance / (variance * (1 + n / others)), 0.0), 1.0)
    rest = [y - weight * f for y, f in labelled]
    error = weight**2 * (stdev(judged) ** 2 if others > 1 else variance) / others + stdev(rest) ** 2 / n
    third = weight**3 * _third(judged) / others**2 + _third(rest) / n**2
    value = min(max(weight * fmean(judged) + fmean(rest), span[0]), span[1])
    return student_t(value, error, third, n, span, "PPI++", alpha)


def rate(events: int, n: int, alpha: float = ALPHA) -> Interval | None:
    """A share of ``n`` prompts. Wilson (1927); exact (Clopper and Pearson, 1934) where events, or their absence, are
    rare: of none in ``n`` the bound is ``1 - .05^(1/n)``, about ``3/n``."""
    if n == 0:
        return None
    share = events / n
    bounds, name = (_exact, "exact") if min(events, n - events) < MIN_EVENTS else (_wilson, "Wilson")
    sd = math.sqrt(share * (1 - share))
    return _interval(share, n, sd, name, lambda missed: bounds(events, n, missed), alpha)


def share_of(values: Mapping[str, float], alpha: float = ALPHA) -> Interval | None:
    """A rate of replies, by prompt. Where prompts have several replies that differ, a mean over the prompts' shares."""
    shares = list(values.values())
    if all(share in (0.0, 1.0) for share in shares):
        return rate(int(sum(shares)), len(shares), alpha)
    return mean(shares, (0.0, 1.0), alpha)


def delta(
    pairs: Sequence[tuple[float, float]], seed: int = 0, alpha: float = ALPHA, span: Span | None = None
) -> Interval | None:
    """The mean difference second - first over prompts, paired: percentile bootstrap over the prompts (Efron, 1979).

    Its percentiles are those at which the bootstrap of a normal sample gives Student's t interval (the expanded
    percentile interval of Hesterberg, 2015, arXiv 1411.5279): the plain ones are too narrow for few prompts. Where the
    ``span`` of a difference is known and fewer than ten prompts have another one than most have, resamples know too
    little of how much varies, and it is the betting interval.
    """
    if not pairs:
        return None
    import numpy as np

    differences = np.array([second - first for first, second in pairs])
    n = len(differences)
    if span is not None and _varied(differences.tolist()) < MIN_EVENTS:
        return _betting(differences.tolist(), span, float(differences.std(ddof=1)) if n > 1 else 0.0, alpha)
    means = differences[np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))].mean(axis=1)

    def at(missed: float) -> Span:
        wider = missed
        if n > 2:
            wider = NormalDist().cdf(-math.sqrt(n / (n - 1)) * _t_quantile(1 - missed, n - 1))
        low, high = np.quantile(means, [wider, 1 - wider]).tolist()
        return low, high

    sd = float(differences.std(ddof=1)) if n > 1 else 0.0
    return _interval(float(differences.mean()), n, sd, "bootstrap", at, alpha)


def _varied(values: Sequence[float]) -> int:
    """How many differ from the most common value."""
    return len(values) - max(Counter(values).values())


def quantile_bounds(values: Sequence[float], share: float = 0.95) -> tuple[float | None, float | None]:
    """One-sided 95 % bounds of a quantile by order statistics, of any distribution: (at least, at most).

    None where the sample is too small for one: to bound a 95th percentile from above takes 59 values, from below one.
    """
    ordered, n = sorted(values), len(values)
    # Of the value of each rank the chance that it lies above the quantile: that no more values lie under it.
    above = list(accumulate(_binomial(k, n, share) for k in range(n)))
    least = [value for value, chance in zip(ordered, above, strict=True) if chance <= ALPHA + 1e-12]
    most = [value for value, chance in zip(ordered, above, strict=True) if chance >= 1 - ALPHA]
    return least[-1] if least else None, most[0] if most else None


def _interval(value: float, n: int, sd: float, method: str, at: Callable[[float], Span], alpha: float) -> Interval:
    """From the bounds each of which misses with a given chance, at any chance."""
    (low, high), (lower, upper) = at(alpha / 2), at(alpha)
    ends = {"low": low, "high": high, "lower": lower, "upper": upper}
    return Interval(value=value, n=n, sd=sd, method=method, level=1 - alpha, **ends)


def student_t(value: float, variance: float, third: float, n: int, span: Span, method: str, alpha: float) -> Interval:
    """Student's t around an estimate of this variance and third central moment, both of the estimate itself.

    Johnson's correction for skewness (1978; Hall, 1983): near a ceiling the plain bound is cleared wrongly in 6 to 9 %.
    """
    error = math.sqrt(variance)

    def at(missed: float) -> Span:
        t = _t_quantile(1 - missed, n - 1)
        middle = value + third / variance * (2 * t**2 + 1) / 6 if variance else value
        return min(max(middle - t * error, span[0]), value), max(min(middle + t * error, span[1]), value)

    return _interval(value, n, error * math.sqrt(n), method, at, alpha)


def _third(values: Sequence[float]) -> float:
    """Third central moment."""
    middle = fmean(values)
    return fmean((value - middle) ** 3 for value in values)


def _t_quantile(share: float, freedom: int) -> float:
    """Of Student's t from its expansion in 1 / freedom (Abramowitz and Stegun, 26.7.5): to 1e-5 from 20 on."""
    z = NormalDist().inv_cdf(share)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _wilson(events: int, n: int, alpha: float) -> Span:
    return wilson(events, n, NormalDist().inv_cdf(1 - alpha))


def _exact(events: int, n: int, alpha: float) -> Span:
    return 1 - _most(n - events, n, alpha), _most(events, n, alpha)


def _most(events: int, n: int, alpha: float) -> float:
    """The rate at which so few events, or fewer, still have a chance of ``alpha``."""
    if events >= n:
        return 1.0
    return _halved(events / n, 1.0, 60, lambda share: sum(_binomial(k, n, share) for k in range(events + 1)) > alpha)[1]


def _halved(low: float, high: float, times: int, is_below: Callable[[float], bool]) -> Span:
    """The span around the place up to which ``is_below`` holds, halved so many times."""
    for _ in range(times):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low, high


def _binomial(k: int, n: int, share: float) -> float:
    """Chance of exactly ``k`` of ``n``; ``share`` within 0..1, without its ends."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(share) + (n - k) * math.log1p(-share))


def _betting(values: Sequence[float], span: Span, sd: float, alpha: float) -> Interval:
    """Hedged capital at a fixed n (Waudby-Smith and Ramdas, 2023, arXiv 2010.09686): holds for any sample of a bounded
    quantity, however small or skewed.

    A gambler bets against "the mean is at most m"; whoever multiplies the stake by 1 / alpha has disproved it. The
    capital is averaged over fixed orders of the sample, which keeps its expectation and takes the luck of one out.
    """
    import numpy as np

    low, width = span[0], span[1] - span[0]
    unit = (np.array(values, dtype=float) - low) / width
    draw = np.random.default_rng(0)
    orders = unit[np.array([draw.permutation(len(unit)) for _ in range(_ORDERS)])]

    def at(missed: float) -> Span:
        return low + width * _least(orders, missed), low + width * (1 - _least(1 - orders, missed))

    return _interval(fmean(values), len(values), sd, "betting", at, alpha)


def _least(orders: np.ndarray, alpha: float) -> float:
    """Lower bound of the mean of (orders, n) values in 0..1, at 1 - alpha."""
    import numpy as np

    n = orders.shape[1]
    counts = np.arange(1, n + 1)
    running = (0.5 + orders.cumsum(axis=1)) / (counts + 1)
    variances = (0.25 + ((orders - running) ** 2).cumsum(axis=1)) / (counts + 1)
    before = np.concatenate([np.full((len(orders), 1), 0.25), variances[:, :-1]], axis=1)
    bets = np.sqrt(2 * math.log(1 / alpha) / (n * before))

    def disproved(m: float) -> bool:
        logs = np.log1p(np.minimum(bets, _CAP / m) * (orders - m)).sum(axis=1)
        top = logs.max()
        return bool(top + math.log(np.exp(logs - top).mean()) >= math.log(1 / alpha))

    most = float(orders[0].mean())
    return _halved(0.0, most, 20 if most else 0, disproved)[0]  # the capital falls as m grows
