"""Rejudging: what another spec or judge judged, what was edited since, and what nobody could judge is judged again.

One by one beside what is under way (:meth:`Rejudge.take`), or in a batch (:meth:`Rejudge.judge`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from studio.bank.people import ANYBODY
from studio.generate.again import Again
from studio.generate.plan import open_scenarios
from studio.generate.screening import Screening, fitted, rejection
from studio.judge import MARKERS, Judge
from studio.llm import ModelError
from studio.spec import LoadedSpec
from studio.store import ExampleStore, Filter, Judgement, Row


@dataclass(frozen=True)
class Rejudged:
    """A new judgement of what stands in ``row``, not stored yet. ``error`` is the judge's last, whatever it was of."""

    row: Row
    judgement: Judgement
    error: ModelError | None


class Rejudge:
    """Judges stored examples again. What the server failed comes up again once it has answered another.

    With ``check_fit`` the fit of the user's side to who asks is judged too.
    """

    def __init__(
        self, loaded: LoadedSpec, store: ExampleStore, judge: Judge, screening: Screening, *, check_fit: bool = False
    ) -> None:
        self._loaded, self._store, self._judge, self._screening = loaded, store, judge, screening
        self._check_fit = check_fit
        self._again = Again[Row]()

    def rows(self, ids: Iterable[str]) -> Iterator[Row]:
        """What is still there of ``ids``, each read when it is its turn."""
        return (row for one in ids if (row := self._store.row(one)) is not None)

    async def judge(self, row: Row) -> Rejudged:
        """Judge what stands in ``row``. What repeats another example or a probe is not shown to the judge, unless a
        person has decided on it."""
        judgement = await self._judged(row)
        return Rejudged(row, judgement, self._judge.last_error)

    def take(
        self, rows: Iterator[Row], under_way: int, stop: Callable[[], bool]
    ) -> Coroutine[Any, Any, Rejudged] | None:
        """The next to begin of ``rows`` and of what failed, as :meth:`studio.generate.again.Again.take`."""
        return self._again.take(lambda: next(map(self.judge, rows), None), self.judge, under_way, stop)

    def landed(self, judged: Rejudged) -> None:
        """Store what came back. Raises OSError where the store is lost."""
        self._store.add_judgement(judged.row.example.id, judged.judgement)
        if judged.judgement.verdict != "error":
            self._again.answered()
        else:
            self._again.failed(judged.row.example.id, judged.row, judged.error)

    async def _judged(self, row: Row) -> Judgement:
        person = self._store.person(row.example.person_id) if self._check_fit else None
        if row.decision is None and (found := self._screening.screen(row.example.id, row.messages)).reason is not None:
            return rejection(self._loaded, row.messages, found)
        judgement = await self._judge.score(row.messages, row.example.scenario)
        judgement = await fitted(self._judge, judgement, row.messages, person)
        if row.decision is None:
            self._screening.judged(row.example.id, judgement)
        return judgement


def stale_ids(loaded: LoadedSpec, store: ExampleStore, judge: Judge, *, check_fit: bool = False) -> list[str]:
    """Ids of examples to judge again before any new one is written, oldest first.

    Those are what another version of the spec or of ``judge`` judged, what was edited since, what no judge could
    judge, and what nobody judged though there is a judge now; with ``check_fit`` also what passed without a model's
    word on who asks. Those of scenarios that the spec no longer has are left as they are: they count for nothing.
    """
    scenarios = set(open_scenarios(loaded.spec))
    every, current = store.scenario_counts(), store.scenario_counts(loaded.hash)
    check_fit = check_fit and judge.kind == "model"
    if check_fit or any(every[key] != current.get(key) for key in every.keys() & scenarios):
        looked_at = store.each()
    else:
        earlier = tuple(one.example_id for one in store.judged_otherwise(judge.name, judge.version))
        looked_at = chain(
            store.each(Filter(status="pending")), store.each(Filter(decided=True)), store.each(Filter(ids=earlier))
        )
    found = {
        row.seq: row.example.id
        for row in looked_at
        if (row.example.category, row.example.scenario) in scenarios and _is_stale(row, loaded.hash, judge, check_fit)
    }
    return [found[seq] for seq in sorted(found)]


def _is_stale(row: Row, spec_hash: str, judge: Judge, check_fit: bool) -> bool:
    judgement = row.judgement
    if judgement is None or judgement.verdict == "error" or not row.judged or judgement.spec_hash != spec_hash:
        return True
    if check_fit and judgement.verdict == "passed" and (judgement.fit is None or judgement.fit.by == MARKERS):
        return row.example.person_id != ANYBODY.id
    if judgement.judge == judge.name:
        return judgement.judge_version != judge.version
    return judgement.verdict == "unscored"
