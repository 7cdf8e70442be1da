"""How alike outputs are by how alike the people are: spreads by bin, and a rank correlation over all pairs.

Spearman's rho on mean ranks. Intervals are percentile bootstraps over pairs (Efron, 1979), in which nobody comes twice
within a bin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from studio.bank.study.record import MEASURES, Alike, Measure, Pair, Spread, Trend
from studio.embed import Embedder
from studio.text.words import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2000
_EQUAL = 1e-6
"""Similarities that differ by less are as alike as each other."""


def jaccard(one: str, another: str) -> float:
    """Of the sets of words; 1 where neither has any."""
    first, second = set(words_of(one)), set(words_of(another))
    return len(first & second) / len(first | second) if first | second else 1.0


def compare(
    pairs: Sequence[Pair],
    outputs: Mapping[tuple[str, str, str], str],
    runs: Sequence[tuple[str, str]],
    embedder: Embedder,
) -> tuple[Alike, ...]:
    """Every pair both of whose outputs are there. ``outputs`` by task, model and person; ``runs`` are tasks and models.

    Equal texts are embedded once.
    """
    texts = list(dict.fromkeys(outputs.values()))
    vectors = dict(zip(texts, embedder.embed(texts), strict=True)) if texts else {}
    found = []
    for task, model in runs:
        for number, pair in enumerate(pairs):
            one, another = outputs.get((task, model, pair.first)), outputs.get((task, model, pair.second))
            if one is None or another is None:
                continue
            cosine = 1.0 if one == another else min(1.0, float(vectors[one] @ vectors[another]))
            found.append(Alike(pair=number, task=task, model=model, cosine=cosine, words=jaccard(one, another)))
    return tuple(found)


def spreads(pairs: Sequence[Pair], alike: Sequence[Alike], runs: Sequence[tuple[str, str]]) -> tuple[Spread, ...]:
    """Of every task, model, measure and bin that has a pair."""
    found = []
    for task, model in runs:
        own = [one for one in alike if (one.task, one.model) == (task, model)]
        for measure in MEASURES:
            for centre in sorted({pair.bin for pair in pairs}):
                values = [getattr(one, measure) for one in own if pairs[one.pair].bin == centre]
                if values:
                    found.append(_spread(task, model, measure, centre, values))
    return tuple(found)


def trends(pairs: Sequence[Pair], alike: Sequence[Alike], runs: Sequence[tuple[str, str]]) -> tuple[Trend, ...]:
    """Of every task, model and measure."""
    found = []
    for task, model in runs:
        own = [one for one in alike if (one.task, one.model) == (task, model)]
        people = [pairs[one.pair].similarity for one in own]
        for measure in MEASURES:
            rho, low, high = spearman(people, [getattr(one, measure) for one in own])
            found.append(Trend(task=task, model=model, measure=measure, n=len(own), rho=rho, low=low, high=high))
    return tuple(found)


def spearman(first: Sequence[float], second: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Rank correlation and its 95 % interval; None of fewer than three pairs, or where one side does not vary."""
    import numpy as np

    x, y = np.array(first, dtype=float), np.array(second, dtype=float)
    rho = _correlation(x, y)
    if rho is None:
        return None, None, None
    draw = np.random.default_rng(0)
    again = (_correlation(x[some], y[some]) for some in draw.integers(0, len(x), (RESAMPLES, len(x))))
    low, high = np.quantile([one for one in again if one is not None], [0.025, 0.975]).tolist()
    return rho, low, high


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    import numpy as np

    if len(x) < 3 or np.ptp(x) < _EQUAL or np.ptp(y) < _EQUAL:
        return None
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean ranks: equal values share one."""
    import numpy as np

    _, places, counts = np.unique(np.round(values, 6), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _spread(task: str, model: str, measure: Measure, centre: float, values: Sequence[float]) -> Spread:
    import numpy as np

    found = np.array(values, dtype=float)
    least, lower, median, upper, most = np.quantile(found, [0, 0.25, 0.5, 0.75, 1]).tolist()
    draws = np.random.default_rng(0).integers(0, len(found), (RESAMPLES, len(found)))
    low, high = np.quantile(found[draws].mean(axis=1), [0.025, 0.975]).tolist()
    return Spread(
        task=task,
        model=model,
        measure=measure,
        bin=centre,
        n=len(found),
        mean=float(found.mean()),
        low=low,
        high=high,
        least=least,
        lower_quartile=lower,
        median=median,
        upper_quartile=upper,
        most=most,
    )
