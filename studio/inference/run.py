"""A run over many items: what is not there yet is made, many at once, and stored before it is told.

An item's id is the same in every run, so a run that was stopped or killed passes over what the store has. An item that
was under way is made again from its beginning: its requests are the same, and the record of calls answers those that
were paid for.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from studio.inference.spending import CountedCalls
from studio.inference.types import (
    ItemFailed,
    ItemMade,
    ItemsEvent,
    ItemsFinished,
    ItemsProgressed,
    ItemsStarted,
    Record,
)
from studio.llm import ModelError, drain, waiting
from studio.llm.concurrency import Chains, Concurrency
from studio.store import Documents

MOST_FAILED = 10
"""Items that fail for good one after the other, each after its calls' own retries, end the run."""
TELL_S, WINDOW_S = 0.5, 30.0
LEAST = 3
"""Items made before an estimate of the end means anything."""


@dataclass(frozen=True)
class Made:
    """What was made of an item. ``reason`` is why it does not count (``duplicate``, ``disagreement``), else empty."""

    record: Record
    reason: str = ""


@dataclass(frozen=True)
class Item:
    """One thing to make. ``make`` asks models, and raises :class:`studio.llm.ModelError` where they fail."""

    id: str
    make: Callable[[], Coroutine[Any, Any, Made]]


class Removed(Record):
    """An item that does not count, with what was made of it."""

    reason: str
    body: str
    """The JSON of the record."""


class GivenUp(Record):
    """An item of which nothing is to be had: refused, or malformed every time."""

    error: str


@dataclass(frozen=True)
class _Outcome:
    id: str
    made: Made | None = None
    error: ModelError | None = None


async def run_items(
    task: str,
    kind: str,
    items: Iterable[Item],
    wanted: int,
    documents: Documents,
    calls: CountedCalls,
    *,
    model: str,
    stop: Callable[[], bool],
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
    retry_failed: bool = False,
    note: str = "",
) -> AsyncGenerator[ItemsEvent, None]:
    """Make items until ``wanted`` count, or none is left. The last event is :class:`ItemsFinished`; after it
    :class:`studio.llm.ModelError` is raised where the models failed for good.

    Args:
        task: What progress calls it: ``math``, ``queries``, ``talk``.
        kind: Under which documents are kept: those that count under ``kind``, others under ``kind removed`` and
            ``kind given up``. Two runs that make other things need two kinds.
        items: In the same order in every run. Read as far as they are needed, in a thread.
        model: Who is asked, for the record.
        stop: After it nothing new begins, and what is under way comes back in its own time.
        cancel: After it what is under way is left.
    """
    run = _Run(task, kind, wanted, documents, calls, retry_failed)
    drain(False)
    await asyncio.to_thread(run.restore)
    yield ItemsStarted(task=task, model=model, wanted=wanted, known=run.known, note=note)
    chains = Chains(concurrency or Concurrency(), lambda: stop() or run.fatal is not None, cancel=cancel, on_stop=drain)
    left = iter(items)
    async with aclosing(chains.results(lambda: run.take(left))) as results:
        async for outcome in results:
            if outcome is not None:
                event = None
                try:
                    event = await run.landed(outcome)
                except Exception as error:  # a store that is lost: what is under way comes back first
                    chains.fail(error)
                if event is not None:
                    yield event
            elif run.due():
                yield run.progress(chains)
    yield run.progress(chains)
    yield run.finished(stopped=stop(), note=note)
    if run.fatal is not None and not stop():
        raise run.fatal


class _Run:
    def __init__(
        self, task: str, kind: str, wanted: int, documents: Documents, calls: CountedCalls, retry_failed: bool
    ) -> None:
        self._task, self._kind, self._wanted = task, kind, wanted
        self._documents, self._calls, self._retry_failed = documents, calls, retry_failed
        self._settled: set[str] = set()
        self._reasons: Counter[str] = Counter()
        self._done = self._errors = self._failed_in_a_row = self._under_way = self.known = 0
        self._began = self._told = time.monotonic()
        self._took: deque[float] = deque()
        self.fatal: ModelError | None = None

    def restore(self) -> None:
        """Pass over what is there."""
        there = self._documents.ids(self._kind)
        removed = self._documents.readable(f"{self._kind} removed", Removed)
        given_up = () if self._retry_failed else self._documents.ids(f"{self._kind} given up")
        self._settled = {*there, *(one.id for one in removed), *given_up}
        self._reasons.update(one.reason for one in removed)
        self._done = self.known = len(there)

    def take(self, items: Iterator[Item]) -> Coroutine[Any, Any, _Outcome] | None:
        if self._done + self._under_way >= self._wanted:
            return None
        item = next((one for one in items if one.id not in self._settled), None)
        if item is None:
            return None
        self._settled.add(item.id)
        self._under_way += 1
        return self._make(item)

    async def _make(self, item: Item) -> _Outcome:
        try:
            return _Outcome(item.id, await item.make())
        except ModelError as error:
            return _Outcome(item.id, error=error)

    async def landed(self, outcome: _Outcome) -> ItemsEvent | None:
        """Store what came; None where its calls were not sent."""
        made, error = outcome.made, outcome.error
        self._under_way -= 1
        if made is None:
            assert error is not None
            return await self._failed(outcome.id, error)
        self._failed_in_a_row = 0
        if made.reason:
            removed = Removed(id=made.record.id, reason=made.reason, body=made.record.model_dump_json())
            await asyncio.to_thread(self._documents.put, f"{self._kind} removed", removed.id, removed)
            self._reasons[made.reason] += 1
        else:
            await asyncio.to_thread(self._documents.put, self._kind, made.record.id, made.record)
            self._done += 1
            self._took.append(time.monotonic())
        return ItemMade(id=made.record.id, reason=made.reason)

    async def _failed(self, id: str, error: ModelError) -> ItemFailed | None:
        if error.kind == "budget":
            self.fatal = self.fatal or error
        if error.kind in ("stopped", "budget"):
            return None
        self._errors += 1
        if error.kind in ("malformed", "refused"):
            given_up = GivenUp(id=id, error=str(error))
            await asyncio.to_thread(self._documents.put, f"{self._kind} given up", id, given_up)
        else:
            self._failed_in_a_row += 1
        if error.fatal or self._failed_in_a_row >= MOST_FAILED:
            self.fatal = self.fatal or error
        return ItemFailed(id=id, error=str(error))

    def due(self) -> bool:
        if time.monotonic() - self._told < TELL_S:
            return False
        self._told = time.monotonic()
        return True

    def progress(self, chains: Chains) -> ItemsProgressed:
        now = time.monotonic()
        while self._took and self._took[0] < now - WINDOW_S:
            self._took.popleft()
        rate = len(self._took) / max(1e-3, min(WINDOW_S, now - self._began))
        return ItemsProgressed(
            task=self._task,
            done=self._done,
            wanted=self._wanted,
            removed=self._reasons.total(),
            errors=self._errors,
            reasons=dict(self._reasons),
            cost_usd=self._calls.cost_usd,
            rate=rate,
            eta_s=(self._wanted - self._done) / rate if len(self._took) >= LEAST else None,
            stopping=chains.stopping and chains.under_way > 0,
            under_way=chains.under_way,
            waiting=waiting(),
        )

    def finished(self, *, stopped: bool, note: str) -> ItemsFinished:
        complete = self._done >= self._wanted
        missing = self._wanted - self._done
        if not complete:
            if stopped:
                note = f"stopped, {missing} are missing; the same command goes on"
            elif self.fatal is not None:
                note = f"the model failed, {missing} are missing; the same command goes on"
            else:
                note = note or f"nothing is left to ask for, {missing} are missing"
        return ItemsFinished(
            task=self._task,
            done=self._done,
            wanted=self._wanted,
            known=self.known,
            removed=self._reasons.total(),
            reasons=dict(self._reasons),
            errors=self._errors,
            calls=self._calls.calls,
            cost_usd=self._calls.cost_usd,
            seconds=time.monotonic() - self._began,
            complete=complete,
            note=note,
        )
