"""Examples whose judgement is out of date: judged by another version of the spec, or never with success."""

from __future__ import annotations

from studio.generate.seen import Seen, rejection
from studio.judge import Judge
from studio.spec import LoadedSpec
from studio.store import ExampleStore, Filter, Judgement, Row


def stale_ids(loaded: LoadedSpec, store: ExampleStore) -> list[str]:
    """Ids of examples to judge again before any new one is written, oldest first.

    Those of scenarios that the spec no longer has are left as they are: they count for nothing.
    """
    open_scenarios = {
        (name, item) for name, one in loaded.spec.scenarios.items() if not one.holdout for item in one.items
    }
    every, current = store.scenario_counts(), store.scenario_counts(loaded.hash)
    outdated = any(every[key] != current.get(key) for key in every.keys() & open_scenarios)
    return [
        row.example.id
        for row in store.each(Filter() if outdated else Filter(status="pending"))
        if (row.example.category, row.example.scenario) in open_scenarios and _is_stale(row, loaded.hash)
    ]


async def judged_again(row: Row, judge: Judge, loaded: LoadedSpec, seen: Seen) -> Judgement:
    """A new judgement of what stands in ``row``. What repeats another example or a probe is not shown to the judge."""
    if row.decision is not None:
        return await judge.score(row.messages, row.example.scenario)
    met = seen.meet(row.example.id, row.messages)
    if met.reason is not None:
        return rejection(loaded, judge.name, met)
    judgement = await judge.score(row.messages, row.example.scenario)
    seen.judged(row.example.id, judgement)
    return judgement


def _is_stale(row: Row, spec_hash: str) -> bool:
    judgement = row.judgement
    return judgement is None or judgement.spec_hash != spec_hash or judgement.verdict == "error"
