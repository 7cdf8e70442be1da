"""Rates with their intervals: shares of events, by group."""

from __future__ import annotations

from collections.abc import Iterable

from studio import proportion
from studio.chatml import Frozen


class Rate(Frozen):
    """``events`` of ``n`` with Wilson's 95 % interval (1927), which holds for few events too. Ties may count half."""

    name: str = ""
    events: float
    n: int
    share: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """``12 of 40, 30% (18 to 45)``; a dash where nothing was counted."""
        return f"{self.events:g} of {self.n}, {self.brief}" if self.n else "-"

    @property
    def brief(self) -> str:
        """``30% (18 to 45)``; a dash where nothing was counted."""
        return f"{self.share:.0%} ({100 * self.low:.0f} to {100 * self.high:.0f})" if self.n else "-"


def wilson(events: float, n: int, name: str = "") -> Rate:
    """Of none the interval is all there is, 0 to 1."""
    if n == 0:
        return Rate(name=name, events=0, n=0, share=0.0, low=0.0, high=1.0)
    low, high = proportion.wilson(events, n)
    return Rate(name=name, events=events, n=n, share=events / n, low=low, high=high)


def by_group(values: Iterable[tuple[str, bool]]) -> tuple[Rate, ...]:
    """(group, event) pairs as one rate a group, the highest share first."""
    counts: dict[str, tuple[int, int]] = {}
    for name, event in values:
        events, n = counts.get(name, (0, 0))
        counts[name] = events + event, n + 1
    rates = [wilson(events, n, name) for name, (events, n) in counts.items()]
    return tuple(sorted(rates, key=lambda one: (-one.share, -one.n, one.name)))
