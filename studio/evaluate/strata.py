"""Strata: replies by the judge's score, drawn for labelling at known rates, and what labels come to when reweighted.

Where a judge gives one score almost throughout, kappa rests on the few others. A balanced draw takes the rare ones more
often: replies are drawn from each stratum in proportion to the square root of its size (power allocation, Bankier,
1988), in random order within. Of a stratum each reply has then the same chance, the share of it that is labelled, and a
label counts for as many replies as it stands for (post-stratification).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from statistics import fmean
from typing import NamedTuple, TypeVar

from studio.evaluate.intervals import ALPHA, MIN_EVENTS, MIN_LARGE, Interval, Span, mean, rate
from studio.evaluate.intervals import student_t as t_interval
from studio.evaluate.metrics import (
    OVERALL,
    SHARE,
    TRAIT,
    Labels,
    crosses_a_boundary,
    label_total,
)
from studio.evaluate.types import ProbeResult, Side, SideMetrics
from studio.judge.scoring import mark_of
from studio.store.records import Judgement, RunLabel

T = TypeVar("T")
_LARGE = 0.2
"""Share of a stratum from which its spread has to be known for a t interval: all else is betting."""
Stratum = int
"""0, 1, 2: the judge's mean mark, rounded."""


class Labelled(NamedTuple):
    """A value by a person, and the judge's of the same reply; ``judge`` is None where it gave none."""

    stratum: Stratum
    people: float
    judge: float | None


def stratum_of(judgement: Judgement) -> Stratum:
    """By the total where there is one, else by the verdict."""
    if judgement.total is None:
        return 2 if judgement.verdict == "passed" else 0
    return min(int(judgement.total / 5 + 0.5), 2)


def sizes(results: Sequence[ProbeResult], side: Side) -> Counter[Stratum]:
    """Replies of each stratum of one side: the pool that is drawn from."""
    return Counter(stratum_of(row.of(side).judgement) for row in results if row.of(side).error is None)


def balanced(strata: Mapping[Stratum, Sequence[T]], draw: Random) -> list[T]:
    """All of them, of which any beginning holds of each stratum about the square root of its size, in proportion.

    Within a stratum the order is the one that is given: random, or spread over the scores.
    """
    places = [
        ((number + draw.random()) / math.sqrt(len(ones)), one)
        for ones in strata.values()
        for number, one in enumerate(ones)
    ]
    return [one for _, one in sorted(places, key=lambda place: place[0])]


def drawn_unequally(labels: Labels) -> bool:
    """Whether some replies were likelier to be labelled than others: plain means of such labels are biased."""
    return any(label.draw is not None and label.draw.balanced for label in labels.replies.values())


def weights(results: Sequence[ProbeResult], side: Side, labels: Labels) -> dict[str, float]:
    """Of each labelled probe the replies that its label stands for, over the mean of that; 1 throughout where all had
    the same chance."""
    pool = sizes(results, side)
    said = {row.probe.id: _stratum(row, side, label) for row in results if (label := labels.reply(row, side))}
    if not drawn_unequally(labels):
        return dict.fromkeys(said, 1.0)
    taken = Counter(said.values())
    raw = {name: max(pool[one], taken[one]) / taken[one] for name, one in said.items()}
    middle = fmean(raw.values()) if raw else 1.0
    return {name: one / middle for name, one in raw.items()}


def _stratum(row: ProbeResult, side: Side, label: RunLabel) -> Stratum:
    """That it was drawn from: another judge since then has other scores."""
    return label.draw.stratum if label.draw else stratum_of(row.of(side).judgement)


def reweighted(
    found: SideMetrics,
    results: Sequence[ProbeResult],
    side: Side,
    traits: Sequence[str],
    labels: Labels,
    alpha: float = ALPHA,
) -> SideMetrics:
    """``found`` with the means and rates that rest on labels of a balanced draw taken by their weights; the same where
    every reply had one chance."""
    if not found.labels or not drawn_unequally(labels):
        return found
    pool = sizes(results, side)
    rows = [(row, label, row.of(side).judgement) for row in results if (label := labels.reply(row, side)) is not None]
    judged = [row.of(side).judgement for row in results if row.of(side).error is None]

    def of_trait(name: str) -> Interval | None:
        given = [
            Labelled(_stratum(row, side, one), float(one.labels[name]), _mark(said, name))
            for row, one, said in rows
            if name in one.labels
        ]
        return stratified_mean(given, pool, [_mark(one, name) for one in judged], TRAIT, alpha)

    totals = [
        Labelled(_stratum(row, side, one), total, said.total)
        for row, one, said in rows
        if (total := label_total(one, traits)) is not None
    ]
    crossed = [
        Labelled(_stratum(row, side, one), float(one.boundary is not None), float(crosses_a_boundary(said)))
        for row, one, said in rows
    ]
    means = {name: now for name in traits if (now := of_trait(name)) is not None}
    return found.model_copy(
        update={
            "overall": stratified_mean(totals, pool, [one.total for one in judged], OVERALL, alpha) or found.overall,
            "traits": found.traits | means,
            "violations": stratified_rate(crossed, pool, alpha),
        }
    )


def _mark(judgement: Judgement, name: str) -> float | None:
    return mark_of(judgement.traits[name]) if name in judgement.traits else None


def stratified_mean(
    labelled: Sequence[Labelled],
    pool: Mapping[Stratum, int],
    judged: Sequence[float | None],
    span: Span,
    alpha: float = ALPHA,
) -> Interval | None:
    """The mean of what people would say of the replies like those of ``pool`` (replies by stratum), from labels that
    were drawn at random within each.

    From 50 labels on, the difference estimator of double sampling for stratification (Cochran, 1977, chapter 12) with
    the judge's values of the whole pool, ``judged``, and the weight that makes its variance least: prediction-powered
    as :func:`studio.evaluate.intervals.corrected_mean`, at unequal chances. Fewer are bounded by betting on the
    weighted values. None of no labels.
    """
    groups = _groups(labelled)
    if not groups:
        return None
    shares = _shares(groups, pool)
    n, number = len(labelled), sum(max(pool.get(one, 0), len(some)) for one, some in groups.items())
    middle = sum(shares[one] * fmean(each.people for each in some) for one, some in groups.items())
    if n < MIN_LARGE or any(len(some) < 2 for some in groups.values()):
        return _bet(labelled, shares, span, alpha)
    known = [value for value in judged if value is not None]
    whole = bool(known) and len(known) == len(judged) and all(one.judge is not None for one in labelled)
    left = {one: 1 / len(some) - 1 / max(pool.get(one, 0), len(some)) for one, some in groups.items()}
    factor = {one: shares[one] ** 2 * left[one] for one in groups}
    top = sum(factor[one] * _covariance([(x.people, x.judge or 0.0) for x in some]) for one, some in groups.items())
    bottom = sum(
        factor[one] * _covariance([(x.judge or 0.0, x.judge or 0.0) for x in some]) for one, some in groups.items()
    )
    known_enough = whole and _varied([x.people - (x.judge or 0.0) for x in labelled]) >= MIN_EVENTS  # how it errs
    weight = min(max(top / bottom, 0.0), 1.0) if known_enough and bottom > 0 else 0.0
    rest = {one: [x.people - weight * (x.judge or 0.0) for x in some] for one, some in groups.items()}
    spread = sum(
        shares[one] * fmean((x.people - middle) ** 2 for x in some) for one, some in groups.items()
    )  # of all replies, were they labelled
    error = spread * n / (n - 1) / number
    error += sum(factor[one] * _covariance([(x, x) for x in some]) for one, some in rest.items())
    if error == 0 or any(shares[one] >= _LARGE and _varied(some) < MIN_EVENTS for one, some in rest.items()):
        return _bet(labelled, shares, span, alpha)
    third = sum(shares[one] * fmean((x.people - middle) ** 3 for x in some) for one, some in groups.items()) / number**2
    third += sum(shares[one] ** 3 * _third(some) / len(some) ** 2 for one, some in rest.items())
    value = sum(shares[one] * fmean(some) for one, some in rest.items()) + (weight * fmean(known) if weight else 0.0)
    value = min(max(value, span[0]), span[1])
    found = t_interval(
        value, error, third, _freedom(shares, rest) + 1, span, "weighted PPI++" if weight else "t", alpha
    )
    return found.model_copy(update={"labels": n, "n": n, "sd": math.sqrt(error * n)})


def stratified_rate(labelled: Sequence[Labelled], pool: Mapping[Stratum, int], alpha: float = ALPHA) -> Interval | None:
    """A share of replies. Of none the bound is that of as many as a label of the least drawn stratum stands for."""
    groups = _groups(labelled)
    if not groups:
        return None
    shares = _shares(groups, pool)
    if not any(one.people for one in labelled):
        least = min(len(some) / shares[one] for one, some in groups.items() if shares[one])
        found = rate(0, max(int(least), 1), alpha)
        return found.model_copy(update={"labels": len(labelled)}) if found else None
    return _bet(labelled, shares, SHARE, alpha)


def _groups(labelled: Sequence[Labelled]) -> dict[Stratum, list[Labelled]]:
    found: dict[Stratum, list[Labelled]] = {}
    for one in labelled:
        found.setdefault(one.stratum, []).append(one)
    return found


def _shares(groups: Mapping[Stratum, Sequence[object]], pool: Mapping[Stratum, int]) -> dict[Stratum, float]:
    """Of the strata that have labels; one without any is taken for the nearest that has."""
    found = {one: float(max(pool.get(one, 0), len(some))) for one, some in groups.items()}
    for one, number in pool.items():
        if one not in found:
            found[min(groups, key=lambda near: abs(near - one))] += number
    whole = sum(found.values())
    return {one: number / whole for one, number in found.items()}


def _bet(labelled: Sequence[Labelled], shares: Mapping[Stratum, float], span: Span, alpha: float) -> Interval | None:
    """By betting on ``end + weight * (value - end)``, which has the same mean and varies least near that end."""
    n, taken = len(labelled), Counter(one.stratum for one in labelled)
    by = {one: shares[one] * n / taken[one] for one in taken}
    low, high = span
    middle = sum(by[one.stratum] * one.people for one in labelled) / n
    width = max(*by.values(), 1.0) * (high - low)
    end, wide = (high, (high - width, high)) if middle * 2 > low + high else (low, (low, low + width))
    found = mean([end + by[one.stratum] * (one.people - end) for one in labelled], wide, alpha)
    if found is None:
        return None
    inside = {name: min(max(getattr(found, name), low), high) for name in ("value", "low", "high", "lower", "upper")}
    return found.model_copy(update={**inside, "labels": n})


def _varied(values: Sequence[float]) -> int:
    """How many differ from the most common value."""
    return len(values) - max(Counter(round(value, 9) for value in values).values())


def _freedom(shares: Mapping[Stratum, float], values: Mapping[Stratum, Sequence[float]]) -> int:
    """Degrees of freedom of a stratified variance (Satterthwaite, 1946): a stratum of few labels has few."""
    parts = {one: shares[one] ** 2 * _covariance([(x, x) for x in some]) / len(some) for one, some in values.items()}
    bottom = sum(part**2 / (len(values[one]) - 1) for one, part in parts.items())
    whole = sum(map(len, values.values())) - len(values)
    return max(min(int(sum(parts.values()) ** 2 / bottom), whole), 4) if bottom else whole


def _covariance(pairs: Sequence[tuple[float, float]]) -> float:
    left, right = (fmean(one) for one in zip(*pairs, strict=True))
    return sum((x - left) * (y - right) for x, y in pairs) / (len(pairs) - 1)


def _third(values: Sequence[float]) -> float:
    middle = fmean(values)
    return fmean((value - middle) ** 3 for value in values)
