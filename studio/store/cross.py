"""Cross tables of examples: counts and marks by scenario and trait, who asks, and length, counted by the database.

Of what stands accepted and was judged by one spec. 10,000 examples take a fifth of a second at most.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

Key = tuple[str, str]
"""A category and a scenario."""
_ACCEPTED = "status = 'accepted' AND standings.spec_hash = ?"


class Marks(NamedTuple):
    """Of one trait: how many of each mark, and their sum."""

    zeros: int
    ones: int
    twos: int

    @property
    def n(self) -> int:
        return self.zeros + self.ones + self.twos

    @property
    def mean(self) -> float | None:
        return (self.ones + 2 * self.twos) / self.n if self.n else None


def marks(connection: sqlite3.Connection, spec_hash: str, traits: Sequence[str]) -> dict[Key, dict[str, Marks]]:
    """By scenario, the marks that the newest judgements give each trait; of unscored ones none."""
    paths = [f"$.traits.{json.dumps(name)}.score" for name in traits]
    sums = "".join(
        f", coalesce(sum(json_extract(judgements.body, ?{at}) = {mark}), 0)"
        for at in range(2, len(traits) + 2)
        for mark in range(3)
    )
    found = connection.execute(
        f"SELECT category, scenario{sums} FROM standings JOIN judgements ON judgements.id = judgement"
        f" WHERE {_ACCEPTED.replace('?', '?1')} GROUP BY category, scenario",
        [spec_hash, *paths],
    )
    return {
        (category, scenario): {name: Marks(*n[3 * at : 3 * at + 3]) for at, name in enumerate(traits)}
        for category, scenario, *n in found
    }


def askers(connection: sqlite3.Connection, spec_hash: str) -> list[tuple[str, str, int | None, str, str, int]]:
    """(category, scenario, age, source, method, count) of who asks; source is empty where nobody is known."""
    return connection.execute(
        "SELECT category, scenario, json_extract(people.body, '$.age'), coalesce(source, ''),"
        " coalesce(json_extract(people.body, '$.method'), ''), count(*)"
        " FROM standings LEFT JOIN people ON people.id = person_id"
        f" WHERE {_ACCEPTED} GROUP BY 1, 2, 3, 4, 5",
        (spec_hash,),
    ).fetchall()


def lengths(connection: sqlite3.Connection, spec_hash: str, ends: Sequence[int]) -> list[tuple[str, str, int, int]]:
    """(category, scenario, band, count) by the characters of the last reply as it stands; ``ends`` are the most of each
    band but the last."""
    last = "json_extract({}.body, '$.messages[#-1].content')"
    size = f"length(coalesce({last.format('decisions')}, {last.format('examples')}))"
    band = "".join(f" WHEN {size} <= {int(end)} THEN {at}" for at, end in enumerate(ends))
    return connection.execute(
        f"SELECT category, scenario, CASE{band} ELSE {len(ends)} END, count(*)"
        " FROM standings JOIN examples USING (seq) LEFT JOIN decisions ON decisions.id = decision"
        f" WHERE {_ACCEPTED} GROUP BY 1, 2, 3",
        (spec_hash,),
    ).fetchall()
