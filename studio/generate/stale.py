"""Examples whose judgement is out of date: of another spec, judge or text than now, or never with success."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from studio.generate.seen import Seen, rejection
from studio.judge import LEARNED, Judge, version_of
from studio.spec import LoadedSpec
from studio.store import CategoryCount, ExampleStore, Filter, Judgement, Outdated, Row


def stale_ids(loaded: LoadedSpec, store: ExampleStore, judge: Judge) -> list[str]:
    """Ids of examples to judge again before any new one is written, oldest first.

    Those are what another version of the spec or of its judge judged, what was edited since, what no judge could judge,
    and what nobody scored where ``judge`` can. Those of scenarios that the spec no longer has are left as they are:
    they count for nothing.
    """
    open_scenarios = {
        (name, item) for name, one in loaded.spec.scenarios.items() if not one.holdout for item in one.items
    }
    every, current = store.scenario_counts(), current_counts(loaded, store)
    if any(every[key] != current.get(key) for key in every.keys() & open_scenarios):
        looked_at = store.each()
    else:
        looked_at = chain(store.each(Filter(status="pending")), store.each(Filter(decided=True)))
    found = [
        (row.seq, row.example.id)
        for row in looked_at
        if (row.example.category, row.example.scenario) in open_scenarios and _is_stale(row, loaded, judge)
    ]
    return [name for _, name in sorted(found)]


def current_counts(loaded: LoadedSpec, store: ExampleStore) -> dict[tuple[str, str], CategoryCount]:
    """By (category, scenario): what was judged by this very spec, by a judge that would judge so today."""
    counts = store.scenario_counts(loaded.hash)
    less = Counter((one.category, one.scenario, one.status) for one in outdated(loaded, store))
    for category, scenario in {key[:2] for key in less}:
        one = counts[category, scenario]
        counts[category, scenario] = CategoryCount(
            category=category,
            accepted=one.accepted - less[category, scenario, "accepted"],
            rejected=one.rejected - less[category, scenario, "rejected"],
            pending=one.pending - less[category, scenario, "pending"],
        )
    return counts


def outdated(loaded: LoadedSpec, store: ExampleStore) -> list[Outdated]:
    """What an earlier version of the learned judge judged by this very spec: labels were added or changed since."""
    version = version_of(LEARNED, loaded)
    earlier = store.judged_otherwise(LEARNED, version) if version else []
    return [one for one in earlier if one.spec_hash == loaded.hash]


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


def _is_stale(row: Row, loaded: LoadedSpec, judge: Judge) -> bool:
    judgement = row.judgement
    if judgement is None or judgement.verdict == "error" or not row.judged:
        return True
    if judgement.verdict == "unscored" and judge.kind != "nobody" and judgement.judge != judge.name:
        return True
    version = version_of(judgement.judge, loaded)
    return judgement.spec_hash != loaded.hash or (version != "" and judgement.judge_version != version)
