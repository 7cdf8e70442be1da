"""Spending: what author and judge cost so far, for each accepted example, and once the targets are met."""

from __future__ import annotations

from functools import reduce

from studio.calls import Spent
from studio.generate.types import Spending, SpentOn
from studio.store import ExampleStore

JUDGING = ("judge", "compare")
LEAST = 3
"""Accepted examples of a run before its own cost tells what the next one costs."""


class SpendingMeter:
    """Read from the record of calls: a restart, and other processes, are counted. ``limit_usd``: None for no limit."""

    def __init__(self, store: ExampleStore, limit_usd: float | None = None) -> None:
        self._store, self._limit = store, limit_usd
        self.began = spent_by_role(store)
        self._accepted = 0

    def landed(self, accepted: bool) -> None:
        self._accepted += accepted

    def read(self, accepted: int, missing: int) -> Spending:
        """``accepted`` are there in all, ``missing`` are still wanted."""
        author, judge = spent_by_role(self._store)
        both, before = author.plus(judge), self.began[0].plus(self.began[1])
        run = both.minus(before)
        of, cost = (self._accepted, run) if self._accepted >= LEAST else (accepted, both)
        each = cost.cost_usd / of if of and not cost.unpriced else None
        return Spending(
            author=spent_on(author),
            judge=spent_on(judge),
            per_accepted_usd=each,
            projected_usd=both.cost_usd + each * missing if each is not None else None,
            limit_usd=self._limit,
        )


def spent_by_role(store: ExampleStore) -> tuple[Spent, Spent]:
    """What was spent on all that is written (examples, people, talks), and on judging."""
    by_purpose = store.spending()
    judge = reduce(Spent.plus, (by_purpose[name] for name in JUDGING if name in by_purpose), Spent())
    return reduce(Spent.plus, by_purpose.values(), Spent()).minus(judge), judge


def spent_on(spent: Spent) -> SpentOn:
    """For events and scripts."""
    known = spent._asdict()
    return SpentOn(**{name: known[name] for name in SpentOn.model_fields})
