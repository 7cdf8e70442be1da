"""Inter-rater reliability of two raters on an ordinal scale, from tables of counts: weighted kappa, AC2, bootstrap.

Quadratic-weighted kappa: Cohen (1968). AC2: Gwet (2008), with the same weights. The interval is the 95 % percentile
bootstrap over clusters. Every statistic takes tables (..., k, k), row: first rater, column: second rater.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Statistic = Callable[[Array], Array]
Pairs = Sequence[tuple[int, int]]
RESAMPLES = 2000
UNDEFINED = np.errstate(divide="ignore", invalid="ignore")


def table(pairs: Pairs, size: int, weights: Sequence[float] | None = None) -> Array:
    """(size, size) counts of (first, second), each as often as its weight says."""
    counts = np.zeros((size, size), float if weights else int)
    for (first, second), weight in zip(pairs, weights or [1] * len(pairs), strict=True):
        counts[first, second] += weight
    return counts


@UNDEFINED
def kappa(tables: Array) -> Array:
    """Quadratic-weighted kappa; NaN where both raters gave one and the same score throughout."""
    shares = _shares(tables)
    chance = shares.sum(axis=-1)[..., :, None] * shares.sum(axis=-2)[..., None, :]
    apart = 1 - _weights(tables.shape[-1])
    return np.asarray(1 - (apart * shares).sum(axis=(-2, -1)) / (apart * chance).sum(axis=(-2, -1)))


@UNDEFINED
def ac2(tables: Array) -> Array:
    """Gwet's AC2: (Pa - Pe) / (1 - Pe), Pe = sum(w) * sum(pi * (1 - pi)) / (k * (k - 1))."""
    size, weights, shares = tables.shape[-1], _weights(tables.shape[-1]), _shares(tables)
    agreed = (weights * shares).sum(axis=(-2, -1))
    used = (shares.sum(axis=-1) + shares.sum(axis=-2)) / 2
    chance = weights.sum() * (used * (1 - used)).sum(axis=-1) / (size * (size - 1))
    return np.asarray((agreed - chance) / (1 - chance))


@UNDEFINED
def accuracy(tables: Array) -> Array:
    """Share of equal ratings."""
    return np.asarray(_shares(tables).trace(axis1=-2, axis2=-1))


def _shares(tables: Array) -> Array:
    return np.asarray(tables / tables.sum(axis=(-2, -1), keepdims=True))


def _weights(size: int) -> Array:
    scale = np.arange(size)
    return np.asarray(1 - ((scale[:, None] - scale[None, :]) / (size - 1)) ** 2)


def interval(
    statistic: Statistic, pairs: Pairs, clusters: Sequence[str], size: int, weights: Sequence[float] | None = None
) -> tuple[float | None, float | None]:
    """95 % interval of ``statistic`` where whole clusters of ``pairs`` are drawn again, 2,000 times, from a fixed seed.

    (None, None) of a single cluster, and where it is undefined for half of the draws.
    """
    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    if len(names) < 2:
        return None, None
    each = np.zeros((len(names), size, size))
    for (first, second), cluster, weight in zip(pairs, clusters, weights or [1.0] * len(pairs), strict=True):
        each[names[cluster], first, second] += weight
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    found = statistic((draws @ each.reshape(len(names), -1)).reshape(RESAMPLES, size, size))
    found = found[np.isfinite(found)]
    if len(found) * 2 < RESAMPLES:
        return None, None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def figure(statistic: Statistic, pairs: Pairs, size: int, weights: Sequence[float] | None = None) -> float | None:
    """``statistic`` of all ``pairs``; None where it is undefined."""
    found = float(statistic(table(pairs, size, weights))) if pairs else float("nan")
    return found if np.isfinite(found) else None
