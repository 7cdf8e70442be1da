"""Lists of examples: which ones a filter lets through, in the order of arrival, and how many there are of each kind.

A list is an array of ``seq``: any place in it is found in microseconds. It is built once and then follows the changes:
every write gives the rows that it touches the next number in the column ``changed``, in whatever process it happens,
so only those are looked at again. What is counted by status, category, scenario, spec and whether it was decided is
not listed for that: tallies are kept as rows are written.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from studio.chatml import Frozen, Unicode
from studio.store import search
from studio.store.database import Database
from studio.store.records import CategoryCount, Origin, Status

_COLUMNS = ("status", "category", "scenario", "person_id", "spec_hash")


class Filter(Frozen):
    """All that is given has to hold; nothing given lets everything through. Lists are in the order of arrival."""

    status: Status | None = None
    category: Unicode | None = None
    scenario: Unicode | None = None
    person_id: Unicode | None = None
    origin: Origin | None = None
    reason: Unicode | None = None
    """Why it stands rejected: one of the judge's reasons, or of the person's."""
    text: Unicode | None = None
    """Words that the conversation holds as it stands; each may be the beginning of a word."""
    ids: tuple[Unicode, ...] | None = None
    decided: bool | None = None
    """Whether a person's decision stands."""
    spec_hash: Unicode | None = None
    """The spec that it was judged by; that it was written by, while it is unjudged."""


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
    if wanted.decided is not None:
        parts.append(f"decision IS {'NOT ' if wanted.decided else ''}NULL")
    if wanted.origin is not None:
        of_it = "SELECT {} FROM examples WHERE {}json_extract(body, '$.origin') = ?"
        parts.append(
            f"EXISTS ({of_it.format('1', 'seq = standings.seq AND ')})"
            if one_by_one
            else f"standings.seq IN ({of_it.format('seq', '')})"
        )
        values.append(wanted.origin)
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


_KEPT = 12
"""Lists that are followed at once; the one not looked at for longest goes first. 8 bytes an example each."""
_REBUILD = 5000
"""More changes than this are slower to follow than to build anew."""


class View:
    """``seqs`` in rising order, as of the change ``stamp``."""

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self._ids = None if wanted.ids is None else frozenset(wanted.ids)
        self.seqs: array[int] = array("q")
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
        index = bisect_left(self.seqs, seq)
        return index if index < len(self.seqs) and self.seqs[index] == seq else None

    def next_from(self, seq: int, step: Literal[1, -1]) -> int | None:
        """The next one after or before ``seq``, around the end; None where the list is empty."""
        if not self.seqs:
            return None
        if step > 0:
            return self.seqs[bisect_right(self.seqs, seq) % len(self.seqs)]
        return self.seqs[bisect_left(self.seqs, seq) - 1]

    def _build(self, connection: sqlite3.Connection) -> None:
        if self.wanted == Filter():
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM standings").fetchone()
            self.seqs = array("q", range(1, last + 1))  # numbers have no gaps
            return
        where, values = _condition(self.wanted)
        # As one JSON value: a row for each number takes twice as long. Sorted here: it mostly comes in order.
        (found,) = connection.execute(f"SELECT json_group_array(seq) FROM standings WHERE {where}", values).fetchone()
        self.seqs = array("q", sorted(json.loads(found)))

    def _follow(self, connection: sqlite3.Connection) -> None:
        where, values = _condition(self.wanted, one_by_one=True)
        changed = connection.execute(
            f"SELECT standings.seq, examples.id, {where} FROM standings JOIN examples USING (seq) WHERE changed > ?",
            [*values, self.stamp],
        )
        for seq, name, passes in changed:
            belongs = passes and (self._ids is None or name in self._ids)
            index = bisect_left(self.seqs, seq)
            there = index < len(self.seqs) and self.seqs[index] == seq
            if belongs and not there:
                self.seqs.insert(index, seq)
            elif there and not belongs:
                self.seqs.pop(index)


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


def tallied(connection: sqlite3.Connection, wanted: Filter) -> int | None:
    """How many examples pass, from the tallies; None where these do not tell."""
    if wanted == Filter(reason=wanted.reason) and wanted.reason is not None:
        return by_reason(connection).get(wanted.reason, 0)
    if any(value is not None for value in (wanted.ids, wanted.reason, wanted.person_id, wanted.origin)) or wanted.text:
        return None
    parts, values = ["1"], []
    for column in ("status", "category", "scenario", "spec_hash", "decided"):
        value = getattr(wanted, column)
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


def by_reason(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT reason, n FROM reason_tallies WHERE n > 0 ORDER BY n DESC, reason"))


def _count(category: str, accepted: int, rejected: int, pending: int) -> CategoryCount:
    return CategoryCount(category=category, accepted=accepted, rejected=rejected, pending=pending)
