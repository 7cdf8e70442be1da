"""Error rate of a whole dataset from a stratified sample of it (acceptance sampling), its interval, and the verdict.

The rate is the mean of the strata's rates, weighted by their sizes. Its interval is Wilson's (1927) at the effective
sample size ``(sum of w)^2 / sum of (w^2 / n)`` over the strata (Kish, 1965), enlarged by the finite population
correction, so that a dataset which was looked at whole has an exact rate. Where a stratum was not looked at yet
nothing is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, NamedTuple

from studio.chatml import Frozen

LIMIT = 0.1
"""The error rate up to which a dataset is good enough, where nobody says another."""
FRACTION, FEWEST = 0.1, 20
"""What of a dataset is looked at: a tenth, and no fewer than this."""
_Z = NormalDist().inv_cdf(0.975)
Verdict = Literal["good", "bad", "undecided"]


class Stratum(NamedTuple):
    """``failed`` of the ``reviewed`` ones of ``size`` examples."""

    size: int
    reviewed: int
    failed: int


class ErrorRate(Frozen):
    """Shares, 0..1, with the 95 % interval. ``more`` is how many more to look at until a verdict is to be expected at
    the rate so far; 0 where there is one."""

    share: float
    low: float
    high: float
    n: int
    """Examples that were looked at."""
    size: int
    """Examples that there are."""
    limit: float
    verdict: Verdict
    more: int

    @property
    def text(self) -> str:
        """``4.1 % (1.6 to 10.0)``."""
        return f"{100 * self.share:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f})"


def sample_size(size: int) -> int:
    """A tenth, at least :data:`FEWEST`, at most all."""
    return min(size, max(FEWEST, math.ceil(FRACTION * size)))


def allocate(sizes: Sequence[int], wanted: int) -> list[int]:
    """How many of each stratum make ``wanted``: in proportion to its size, at least one, by largest remainder."""
    total = sum(sizes)
    if wanted >= total:
        return list(sizes)
    exact = [wanted * size / total for size in sizes]
    found = [min(size, max(1, math.floor(share))) if size else 0 for size, share in zip(sizes, exact, strict=True)]
    by_remainder = sorted(range(len(sizes)), key=lambda one: found[one] - exact[one])
    while sum(found) < wanted:
        for place in by_remainder:
            if found[place] < sizes[place] and sum(found) < wanted:
                found[place] += 1
    return found


def error_rate(strata: Sequence[Stratum], limit: float = LIMIT) -> ErrorRate | None:
    """None where a stratum was not looked at yet, or there is nothing to look at."""
    strata = [one for one in strata if one.size]
    if not strata or any(not one.reviewed for one in strata):
        return None
    size, n = sum(one.size for one in strata), sum(one.reviewed for one in strata)
    share = sum(one.size / size * one.failed / one.reviewed for one in strata)
    effective = 1 / sum((one.size / size) ** 2 / one.reviewed for one in strata)
    low, high = _wilson(share, _corrected(effective, n, size))

    def decides(looked_at: int) -> bool:
        at = _wilson(share, _corrected(effective * looked_at / n, looked_at, size))
        return at[1] <= limit or at[0] > limit

    verdict: Verdict = "good" if high <= limit else "bad" if low > limit else "undecided"
    more = 0
    if verdict == "undecided":
        below, enough = n, size  # all of them decide; the interval only shrinks on the way there
        while enough - below > 1:
            middle = (below + enough) // 2
            below, enough = (below, middle) if decides(middle) else (middle, enough)
        more = enough - n
    return ErrorRate(share=share, low=low, high=high, n=n, size=size, limit=limit, verdict=verdict, more=more)


def _corrected(effective: float, n: int, size: int) -> float:
    """The sample of an endless population that would tell as much; infinite where all were looked at."""
    return math.inf if n >= size else effective * (size - 1) / (size - n)


def _wilson(share: float, n: float) -> tuple[float, float]:
    if math.isinf(n):
        return share, share
    square = _Z**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    margin = _Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n**2))
    return max(0.0, centre - margin), min(1.0, centre + margin)
