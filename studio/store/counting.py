"""How many examples there are of each kind, from tallies that every write keeps up to date."""

from __future__ import annotations

import sqlite3

from studio.store.records import CategoryCount, Outdated

_SUMS = (
    "sum(iif(status = 'accepted', n, 0)), sum(iif(status = 'rejected', n, 0)), sum(iif(status = 'pending', n, 0))"
    " FROM tallies WHERE ? IS NULL OR spec_hash = ?"
)


def by_category(connection: sqlite3.Connection, spec_hash: str | None) -> list[CategoryCount]:
    found = connection.execute(f"SELECT category, {_SUMS} GROUP BY category ORDER BY category", (spec_hash, spec_hash))
    return [_count(*values) for values in found if any(values[1:])]


def by_scenario(connection: sqlite3.Connection, spec_hash: str | None) -> dict[tuple[str, str], CategoryCount]:
    found = connection.execute(
        f"SELECT scenario, category, {_SUMS} GROUP BY category, scenario ORDER BY category, scenario",
        (spec_hash, spec_hash),
    )
    return {(category, scenario): _count(category, *n) for scenario, category, *n in found if any(n)}


def judged_otherwise(connection: sqlite3.Connection, judge: str, version: str) -> list[Outdated]:
    found = connection.execute(
        "SELECT examples.id, category, scenario, spec_hash, status FROM standings JOIN examples USING (seq)"
        " JOIN judgements ON judgements.id = judgement WHERE json_extract(judgements.body, '$.judge') = ?"
        " AND coalesce(json_extract(judgements.body, '$.judge_version'), '') <> ? ORDER BY standings.seq",
        (judge, version),
    )
    return [Outdated(*values) for values in found]


def by_reason(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT reason, n FROM reason_tallies WHERE n > 0 ORDER BY n DESC, reason"))


def _count(category: str, accepted: int, rejected: int, pending: int) -> CategoryCount:
    return CategoryCount(category=category, accepted=accepted, rejected=rejected, pending=pending)
