"""Spending of one run: the store's record of calls, and what was paid since the run began."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.calls import CallRecord, Spent
from studio.store import ExampleStore


class CountedCalls:
    """A :class:`studio.llm.CallLog` that keeps calls in the store and counts what was paid since it was made."""

    def __init__(self, store: ExampleStore) -> None:
        self._store = store
        self.calls = 0
        self._cost: float | None = 0.0

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def cost_usd(self) -> float | None:
        """US dollars; None once a price was not known."""
        return self._cost

    def call(self, key: str) -> CallRecord | None:
        return self._store.call(key)

    def add_calls(self, records: Sequence[CallRecord], *, wait: bool = True) -> bool:
        if not self._store.add_calls(records, wait=wait):
            return False
        for record in records:
            self.calls += 1
            self._cost = None if self._cost is None or record.cost_usd is None else self._cost + record.cost_usd
        return True

    def spent(self) -> Spent:
        return self._store.spent()
