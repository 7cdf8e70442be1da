"""Examples whose judgement is out of date: of another spec, judge or text than now, or never with success."""

from __future__ import annotations

from itertools import chain

from studio.generate.seen import Seen, rejection
from studio.judge import Judge
from studio.spec import LoadedSpec
from studio.store import CategoryCount, ExampleStore, Filter, Judgement, Row


def stale_ids(loaded: LoadedSpec, store: ExampleStore, judge: Judge) -> list[str]:
    """Ids of examples to judge again before any new one is written, oldest first.

    Those are what another version of the spec or of ``judge`` judged, what was edited since, what no judge could
    judge, and what nobody judged though there is a judge now. Those of scenarios that the spec no longer has are left
    as they are: they count for nothing.
    """
    open_scenarios = {
        (name, item) for name, one in loaded.spec.scenarios.items() if not one.holdout for item in one.items
    }
    every, current = store.scenario_counts(), current_counts(loaded, store)
    if any(every[key] != current.get(key) for key in every.keys() & open_scenarios):
        looked_at = store.each()
    else:
        earlier = tuple(one.example_id for one in store.judged_otherwise(judge.name, judge.version))
        looked_at = chain(
            store.each(Filter(status="pending")), store.each(Filter(decided=True)), store.each(Filter(ids=earlier))
        )
    found = {
        row.seq: row.example.id
        for row in looked_at
        if (row.example.category, row.example.scenario) in open_scenarios and _is_stale(row, loaded.hash, judge)
    }
    return [found[seq] for seq in sorted(found)]


def current_counts(loaded: LoadedSpec, store: ExampleStore) -> dict[tuple[str, str], CategoryCount]:
    """By (category, scenario): what was judged by this very spec."""
    return store.scenario_counts(loaded.hash)


async def judged_again(row: Row, judge: Judge, loaded: LoadedSpec, seen: Seen) -> Judgement:
    """A new judgement of what stands in ``row``. What repeats another example or a probe is not shown to the judge."""
    if row.decision is not None:
        return await judge.score(row.messages, row.example.scenario)
    met = seen.meet(row.example.id, row.messages)
    if met.reason is not None:
        return rejection(loaded, judge, row.messages, met)
    judgement = await judge.score(row.messages, row.example.scenario)
    seen.judged(row.example.id, judgement)
    return judgement


def _is_stale(row: Row, spec_hash: str, judge: Judge) -> bool:
    judgement = row.judgement
    if judgement is None or judgement.verdict == "error" or not row.judged or judgement.spec_hash != spec_hash:
        return True
    if judgement.judge == judge.name:
        return judgement.judge_version != judge.version
    return judgement.verdict == "unscored"
