"""Inter-rater reliability of two raters on an ordinal scale, from tables of counts: weighted kappa, AC2, bootstrap.

Quadratic-weighted kappa: Cohen (1968). AC2: Gwet (2008), with the same weights. The interval is the 95 % percentile
bootstrap over clusters. Every function takes tables (..., k, k), row: first rater, column: second rater.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Statistic = Callable[[Array], Array]

RESAMPLES = 2000
Interval = tuple[float | None, float | None]


def table(pairs: Sequence[tuple[int, int]], size: int) -> Array:
    """(size, size) counts of (first, second)."""
    import numpy as np

    counts = np.zeros((size, size), int)
    for first, second in pairs:
        counts[first, second] += 1
    return counts


def kappa(tables: Array) -> Array:
    """Quadratic-weighted kappa; NaN where both raters gave one and the same score throughout."""
    import numpy as np

    shares = _shares(tables)
    chance = shares.sum(axis=-1)[..., :, None] * shares.sum(axis=-2)[..., None, :]
    apart = 1 - _weights(tables.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = 1 - (apart * shares).sum(axis=(-2, -1)) / (apart * chance).sum(axis=(-2, -1))
    return found


def ac2(tables: Array) -> Array:
    """Gwet's AC2: (Pa - Pe) / (1 - Pe), Pe = sum(w) * sum(pi * (1 - pi)) / (k * (k - 1))."""
    import numpy as np

    size, weights, shares = tables.shape[-1], _weights(tables.shape[-1]), _shares(tables)
    agreed = (weights * shares).sum(axis=(-2, -1))
    used = (shares.sum(axis=-1) + shares.sum(axis=-2)) / 2
    chance = weights.sum() * (used * (1 - used)).sum(axis=-1) / (size * (size - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = (agreed - chance) / (1 - chance)
    return found


def accuracy(tables: Array) -> Array:
    """Share of equal ratings."""
    found: Array = _shares(tables).trace(axis1=-2, axis2=-1)
    return found


def interval(statistic: Statistic, pairs: Sequence[tuple[int, int]], clusters: Sequence[str], size: int) -> Interval:
    """95 % interval of ``statistic`` where whole clusters of ``pairs`` are drawn again, 2,000 times, from a fixed seed.

    (None, None) of a single cluster, and where it is undefined for half of the draws.
    """
    import numpy as np

    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    if len(names) < 2:
        return None, None
    each = np.zeros((len(names), size, size))
    for (first, second), cluster in zip(pairs, clusters, strict=True):
        each[names[cluster], first, second] += 1
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    found = statistic((draws @ each.reshape(len(names), -1)).reshape(RESAMPLES, size, size))
    found = found[np.isfinite(found)]
    if len(found) * 2 < RESAMPLES:
        return None, None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def figure(statistic: Statistic, pairs: Sequence[tuple[int, int]], size: int) -> float | None:
    """``statistic`` of all ``pairs``; None where it is undefined."""
    import numpy as np

    found = float(statistic(table(pairs, size))) if pairs else float("nan")
    return found if np.isfinite(found) else None


def _shares(tables: Array) -> Array:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = tables / tables.sum(axis=(-2, -1), keepdims=True)
    return found


def _weights(size: int) -> Array:
    import numpy as np

    scale = np.arange(size)
    found: Array = 1 - ((scale[:, None] - scale[None, :]) / (size - 1)) ** 2
    return found
