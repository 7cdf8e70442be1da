"""The filtered lists that are looked at, each as an array of ``seq``: any place in one is found in microseconds.

A list is built once and then follows the changes: every write gives the rows that it touches the next number in the
column ``changed``, in whatever process it happens, so only those are looked at again.
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
from typing import Literal

from studio.store.database import Database
from studio.store.filters import Filter, condition

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
        where, values = condition(self.wanted)
        # As one JSON value: a row for each number takes twice as long. Sorted here: it mostly comes in order.
        (found,) = connection.execute(f"SELECT json_group_array(seq) FROM standings WHERE {where}", values).fetchone()
        self.seqs = array("q", sorted(json.loads(found)))

    def _follow(self, connection: sqlite3.Connection) -> None:
        where, values = condition(self.wanted, one_by_one=True)
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
