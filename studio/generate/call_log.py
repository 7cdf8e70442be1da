"""The workspace as the record of calls: what a model answered is on the disk before it is used."""

from __future__ import annotations

from studio.calls import CallRecord
from studio.store import ExampleStore


class StoreCallLog:
    """A :class:`studio.llm.CallLog` in ``examples.db``, so that no answer is paid for twice, whatever is killed."""

    def __init__(self, store: ExampleStore) -> None:
        self._store = store
        self.unpriced = False
        """Whether an answer came whose price is not known, so that the sum of the others would be too low."""

    def call(self, key: str) -> CallRecord | None:
        """What was answered under ``key``."""
        return self._store.call(key)

    def add_call(self, record: CallRecord) -> None:
        """Keep an answer; when this returns it survives a kill of the process."""
        self._store.add_call(record)
        self.unpriced = self.unpriced or record.cost_usd is None

    def cost_usd(self) -> float | None:
        """US dollars of all calls on record, 0 without any; None once one had no known price."""
        spent = self._store.spent()
        if spent.calls == 0:
            return 0.0
        return None if self.unpriced else spent.cost_usd
