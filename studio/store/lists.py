"""Lists of examples: which ones a filter lets through, in which order, and how many there are of each kind.

A list is an array of ``seq``: any place in it is found in microseconds. It is built once and then follows the changes:
every write gives the rows that it touches the next number in the column ``changed``, in whatever process it happens,
so only those are looked at again. What is counted by status, category, scenario, spec and whether it was decided is
not listed for that: tallies are kept as rows are written.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from studio.chatml import Frozen, Unicode
from studio.store import search
from studio.store.database import Database
from studio.store.records import CategoryCount, Origin, Status

_COLUMNS = ("status", "category", "scenario", "person_id", "spec_hash", "origin", "job_id", "judge")
_YES_OR_NO = {
    "decided": "decision IS NOT NULL",
    "edited": "edited = 1",
    "unscored": "total IS NULL",
    "flagged": "flagged = 1",
}
LENGTHS: tuple[tuple[int, int | None], ...] = ((0, 20), (21, 40), (41, 80), (81, 160), (161, None))
"""Words of a reply, from and to, that are counted together."""
Sort = Literal["arrival", "newest", "unsure", "against", "gap"]
_KEYS: dict[Sort, str] = {
    "newest": "-seq",
    "unsure": "coalesce(abs(total - ?), 1e9)",
    "against": "CASE WHEN total IS NULL THEN 1e9 WHEN violated THEN -total ELSE total - 10 END",
    "gap": "coalesce(have, 0)",
}
"""By what a list is sorted, the least first; of equals the one that came first."""
_HAVE = (
    " LEFT JOIN (SELECT category, scenario, sum(n) AS have FROM tallies WHERE status = 'accepted' GROUP BY 1, 2)"
    " USING (category, scenario)"
)


class Filter(Frozen):
    """All that is given has to hold; nothing given lets everything through."""

    status: Status | None = None
    category: Unicode | None = None
    scenario: Unicode | None = None
    person_id: Unicode | None = None
    origin: Origin | None = None
    job_id: Unicode | None = None
    """The run that made it."""
    judge: Unicode | None = None
    """Who judged the text that stands."""
    marks: tuple[tuple[Unicode, int, int], ...] = ()
    """Traits, each with the lowest and the highest mark, 0..2, that the judge gave it."""
    reason: Unicode | None = None
    """Why it stands rejected: one of the judge's reasons, or of the person's."""
    text: Unicode | None = None
    """Words that the conversation holds as it stands; each may be the beginning of a word."""
    ids: tuple[Unicode, ...] | None = None
    decided: bool | None = None
    """Whether a person's decision stands."""
    edited: bool | None = None
    unscored: bool | None = None
    """Whether nobody has scored the text that stands."""
    flagged: bool | None = None
    """Whether a person's review found something wrong with it."""
    min_words: int | None = None
    """Of the last reply."""
    max_words: int | None = None
    spec_hash: Unicode | None = None
    """The spec that it was judged by; that it was written by, while it is unjudged."""
    sort: Sort = "arrival"
    """``unsure``: by how near the judge's total is to ``pivot``, the score from which it accepts. ``against``: how far
    judge and rules differ: one violated and the total high, or none is and it is low. ``gap``: scenarios with the
    fewest accepted examples first. What a list is sorted by is read when it is opened: no row moves meanwhile."""
    pivot: float = 7.0

    @property
    def narrows(self) -> bool:
        """Whether it keeps anything out."""
        return self.in_order() != Filter()

    def in_order(self) -> Filter:
        """The same in the order of arrival."""
        return self.model_copy(update={"sort": "arrival", "pivot": 7.0})


def _condition(wanted: Filter, *, one_by_one: bool = False) -> tuple[str, list[Any]]:
    """The filter as SQL over ``standings``, and its parameters.

    ``one_by_one`` makes the form that is quick for a few rows instead of the one that is quick for all; it leaves
    ``ids`` to the caller.
    """
    parts: list[str] = []
    values: list[Any] = []
    for column in _COLUMNS:
        value = getattr(wanted, column)
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    for name, told in _YES_OR_NO.items():
        if (value := getattr(wanted, name)) is not None:
            parts.append(told if value else f"NOT ({told})")
    for trait, least, most in wanted.marks:
        parts.append("json_extract(marks, ?) BETWEEN ? AND ?")
        values += [_path(trait), least, most]
    if wanted.min_words is not None:
        parts.append("words >= ?")
        values.append(wanted.min_words)
    if wanted.max_words is not None:
        parts.append("words <= ?")
        values.append(wanted.max_words)
    if wanted.reason is not None:
        parts.append("standings.seq IN (SELECT seq FROM reasons WHERE reason = ?)")
        values.append(wanted.reason)
    if wanted.text:
        if one_by_one:
            parts.append("EXISTS (SELECT 1 FROM search WHERE search MATCH ? AND rowid = standings.seq)")
        else:
            parts.append("standings.seq IN (SELECT rowid FROM search WHERE search MATCH ?)")
        values.append(search.query(wanted.text))
    if wanted.ids is not None and not one_by_one:
        parts.append("standings.seq IN (SELECT seq FROM examples WHERE id IN (SELECT value FROM json_each(?)))")
        values.append(json.dumps(wanted.ids))
    return " AND ".join(parts) or "1", values


def _path(trait: str) -> str:
    """The JSON path of a trait's mark; a name with a quotation mark in it has none."""
    return f'$."{trait}"' if '"' not in trait else "$.none"


_KEPT = 12
"""Lists that are followed at once; the one not looked at for longest goes first. 8 bytes an example each."""
_REBUILD = 5000
"""More changes than this are slower to follow than to build anew."""


class View:
    """``seqs`` in the order of the list, as of the change ``stamp``."""

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self._ids = None if wanted.ids is None else frozenset(wanted.ids)
        self.seqs: array[int] = array("q")
        self._keys: dict[int, float] | None = None if wanted.sort == "arrival" else {}
        """What the rows of a sorted list are sorted by; they keep it, and so their place, while they are in it."""
        self.stamp = -1
        self.lock = threading.Lock()

    def refresh(self, connection: sqlite3.Connection) -> None:
        (newest,) = connection.execute("SELECT coalesce(max(changed), 0) FROM standings").fetchone()
        if newest == self.stamp:
            return
        if self.stamp < 0 or newest - self.stamp > _REBUILD:
            self._build(connection)
        else:
            self._follow(connection)
        self.stamp = newest

    def place(self, seq: int) -> int | None:
        """Where ``seq`` stands in the list."""
        if self._keys is not None and seq not in self._keys:
            return None
        index = bisect_left(self.seqs, self._key(seq), key=self._key)
        return index if index < len(self.seqs) and self.seqs[index] == seq else None

    def next_from(self, connection: sqlite3.Connection, seq: int, step: Literal[1, -1]) -> int | None:
        """The next one after or before ``seq``, around the end; None where the list is empty."""
        if not self.seqs:
            return None
        key = (float(seq), seq)
        if self._keys is not None:
            key = (self._keys[seq] if seq in self._keys else self._key_of(connection, seq), seq)
        if step > 0:
            return self.seqs[bisect_right(self.seqs, key, key=self._key) % len(self.seqs)]
        return self.seqs[bisect_left(self.seqs, key, key=self._key) - 1]

    def _key(self, seq: int) -> tuple[float, int]:
        return (float(seq) if self._keys is None else self._keys[seq]), seq

    def _sorted_by(self) -> tuple[str, str, list[Any]]:
        """What it is sorted by as SQL, the tables besides ``standings``, and the parameters."""
        sort = self.wanted.sort
        return _KEYS.get(sort, "0"), _HAVE if sort == "gap" else "", [self.wanted.pivot] if sort == "unsure" else []

    def _key_of(self, connection: sqlite3.Connection, seq: int) -> float:
        key, tables, first = self._sorted_by()
        found = connection.execute(f"SELECT {key} FROM standings{tables} WHERE seq = ?", [*first, seq]).fetchone()
        return float(found[0]) if found else -math.inf

    def _build(self, connection: sqlite3.Connection) -> None:
        if self.wanted == Filter():
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM standings").fetchone()
            self.seqs = array("q", range(1, last + 1))  # numbers have no gaps
            return
        where, values = _condition(self.wanted)
        if self._keys is not None:
            key, tables, first = self._sorted_by()
            ordered = connection.execute(
                f"SELECT seq, {key} FROM standings{tables} WHERE {where} ORDER BY 2, 1", [*first, *values]
            ).fetchall()
            self._keys = dict(ordered)
            self.seqs = array("q", [seq for seq, _ in ordered])
            return
        # As one JSON value: a row for each number takes twice as long. Sorted here: it mostly comes in order.
        (found,) = connection.execute(f"SELECT json_group_array(seq) FROM standings WHERE {where}", values).fetchone()
        self.seqs = array("q", sorted(json.loads(found)))

    def _follow(self, connection: sqlite3.Connection) -> None:
        where, values = _condition(self.wanted, one_by_one=True)
        key, tables, first = self._sorted_by()
        changed = connection.execute(
            f"SELECT seq, examples.id, {key}, {where} FROM standings JOIN examples USING (seq){tables}"
            " WHERE changed > ?",
            [*first, *values, self.stamp],
        )
        for seq, name, sorted_by, passes in changed:
            belongs = passes and (self._ids is None or name in self._ids)
            there = self.place(seq)
            if belongs and there is None:
                if self._keys is not None:
                    self._keys[seq] = sorted_by
                self.seqs.insert(bisect_left(self.seqs, self._key(seq), key=self._key), seq)
            elif there is not None and not belongs:
                self.seqs.pop(there)
                if self._keys is not None:
                    del self._keys[seq]


class Views:
    """One for a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._views: OrderedDict[Filter, View] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, wanted: Filter) -> Iterator[tuple[View, sqlite3.Connection]]:
        """The list as of now, and a connection that sees the same moment."""
        view = self._view(wanted)
        with view.lock, self._database.snapshot() as connection:
            view.refresh(connection)
            yield view, connection

    def _view(self, wanted: Filter) -> View:
        with self._lock:
            view = self._views.pop(wanted, None) or View(wanted)
            self._views[wanted] = view  # last: the one looked at most recently
            while len(self._views) > _KEPT:
                self._views.popitem(last=False)
            return view


# Counts

_SUMS = (
    "sum(iif(status = 'accepted', n, 0)), sum(iif(status = 'rejected', n, 0)), sum(iif(status = 'pending', n, 0))"
    " FROM tallies WHERE ? IS NULL OR spec_hash = ?"
)


_TALLIED = ("status", "category", "scenario", "spec_hash", "decided")


def tallied(connection: sqlite3.Connection, wanted: Filter) -> int | None:
    """How many examples pass, from the tallies; None where these do not tell."""
    wanted = wanted.in_order()
    if wanted == Filter(reason=wanted.reason) and wanted.reason is not None:
        return by_reason(connection).get(wanted.reason, 0)
    told = {column: getattr(wanted, column) for column in _TALLIED}
    if wanted != Filter.model_construct(**told):
        return None
    parts, values = ["1"], []
    for column, value in told.items():
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    where = " AND ".join(parts)
    return int(connection.execute(f"SELECT coalesce(sum(n), 0) FROM tallies WHERE {where}", values).fetchone()[0])


def by_category(connection: sqlite3.Connection, spec_hash: str | None) -> list[CategoryCount]:
    found = connection.execute(f"SELECT category, {_SUMS} GROUP BY category ORDER BY category", (spec_hash, spec_hash))
    return [_count(*values) for values in found if any(values[1:])]


def by_scenario(connection: sqlite3.Connection, spec_hash: str | None) -> dict[tuple[str, str], CategoryCount]:
    found = connection.execute(
        f"SELECT scenario, category, {_SUMS} GROUP BY category, scenario ORDER BY category, scenario",
        (spec_hash, spec_hash),
    )
    return {(category, scenario): _count(category, *n) for scenario, category, *n in found if any(n)}


def facets(connection: sqlite3.Connection, wanted: Filter, traits: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """How many of those that pass ``wanted`` have which value of each column, the most frequent first.

    ``edited``, ``unscored``, ``flagged`` and ``decided`` count ``yes``, ``words`` the places of :data:`LENGTHS`;
    ``mark NAME`` of each trait counts 0, 1 and 2.
    """
    where, values = _condition(wanted)
    columns = ("status", "category", "scenario", "person_id", "origin", "job_id", "judge")
    steps = " ".join(f"WHEN words <= {most} THEN {number}" for number, (_, most) in enumerate(LENGTHS) if most)
    asked = [*columns, *_YES_OR_NO.values(), f"CASE {steps} ELSE {len(LENGTHS) - 1} END", "marks"]
    rows = connection.execute(f"SELECT {', '.join(asked)} FROM standings WHERE {where}", values).fetchall()
    names = (*columns, *_YES_OR_NO, "words", "marks")
    by_column = zip(*rows, strict=True) if rows else [()] * len(names)
    counted = {name: Counter(of) for name, of in zip(names, by_column, strict=True)}
    found = {name: {value: n for value, n in counted[name].most_common() if value} for name in columns}
    found |= {name: {"yes": counted[name][1]} if counted[name][1] else {} for name in _YES_OR_NO}
    found["words"] = {str(place): n for place, n in counted["words"].most_common()}
    for trait in traits:
        by_mark = Counter[str]()
        for marks, n in counted["marks"].items():  # as many as there are combinations, not examples
            if (mark := json.loads(marks).get(trait)) is not None:
                by_mark[str(mark)] += n
        found[f"mark {trait}"] = dict(by_mark.most_common())
    found["reason"] = dict(
        connection.execute(
            f"SELECT reason, count(*) AS n FROM standings JOIN reasons USING (seq) WHERE {where} GROUP BY 1"
            " ORDER BY n DESC, 1",
            values,
        )
    )
    return found


def by_reason(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT reason, n FROM reason_tallies WHERE n > 0 ORDER BY n DESC, reason"))


def _count(category: str, accepted: int, rejected: int, pending: int) -> CategoryCount:
    return CategoryCount(category=category, accepted=accepted, rejected=rejected, pending=pending)
