"""Lists of people: whom a filter lets through, in the order in which they came, and how many there are of each kind.

People are never changed, only added and removed. A list is an array of their row numbers, built by one pass over the
bodies (a hundred thousand people: 10 ms for everybody, 150 ms by a field, 80 ms by a word) and then added to; where
somebody was removed it is built anew.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from studio.chatml import Frozen, Unicode
from studio.store.database import Database
from studio.store.records import Method, Person

_KEPT = 6
"""Lists that are followed at once; the one not looked at for longest goes first."""
_CHUNK = 500
"""People read at once where all are wanted."""
_COUNTED = 5000
"""Row numbers that are counted at once."""
_SAID = ("name", "username", "profession", "role", "place", "topic", "background", "chatting_style", "query", "traits")
"""What is searched for words, besides the model."""
_TEXT = " || ' ' || ".join(f"coalesce(json_extract(body, '$.{name}'), '')" for name in (*_SAID, "model"))
_KIND = (
    "source, coalesce(json_extract(body, '$.method'), ''), coalesce(json_extract(body, '$.seed') = -1, 0),"
    " coalesce(json_extract(body, '$.extreme'), 0), coalesce(json_extract(body, '$.language'), '')"
)


class PeopleFilter(Frozen):
    """All that is given has to hold; nothing given lets everybody through."""

    source: str | None = None
    method: Method | None = None
    extreme: bool | None = None
    language: Unicode | None = None
    """Their first language."""
    text: Unicode | None = None
    """Words; each is a part of something that is said of them. Letters beyond ASCII are matched as they are typed, in
    capitals and in small letters."""


class PeopleCount(Frozen):
    """``n`` people of a kind. ``built_in``: composed on the spot, for a workspace that had no bank."""

    source: str
    method: Method
    built_in: bool
    extreme: bool
    language: str
    n: int


EVERYBODY = PeopleFilter()


def condition(wanted: PeopleFilter) -> tuple[str, list[Any]]:
    """The filter as SQL over ``people``, and its parameters."""
    parts: list[str] = []
    values: list[Any] = []
    if wanted.source is not None:
        parts.append("source = ?")
        values.append(wanted.source)
    for name in ("method", "extreme", "language"):
        value = getattr(wanted, name)
        if value is not None:
            empty = "0" if name == "extreme" else "''"
            parts.append(f"coalesce(json_extract(body, '$.{name}'), {empty}) = ?")
            values.append(value)
    for word in (wanted.text or "").split():
        forms = [word] if word.isascii() else sorted({word, word.lower(), word.upper(), word.title()})
        quick = " OR ".join(["body LIKE ? ESCAPE '!'"] * len(forms))
        exact = " OR ".join([f"{_TEXT} LIKE ? ESCAPE '!'"] * len(forms))
        parts.append(f"CASE WHEN {quick} THEN {exact} ELSE 0 END")  # AND promises no order
        values += [_like(json.dumps(form, ensure_ascii=False)[1:-1]) for form in forms] + [_like(f) for f in forms]
    return " AND ".join(parts) or "1", values


def _like(text: str) -> str:
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return f"%{text}%"


class _Pass:
    """One pass over the people, repeated over those who came since; over all where somebody went."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._last: tuple[int, str] | None = None
        self._count = 0

    def refresh(self, connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("SELECT count(*) FROM people").fetchone()
        last = connection.execute("SELECT rowid, id FROM people ORDER BY rowid DESC LIMIT 1").fetchone()
        if (count, last) == (self._count, self._last):
            return
        after = 0
        if self._last is not None:  # numbers are used again once the last one was removed
            found = connection.execute("SELECT id FROM people WHERE rowid = ?", (self._last[0],)).fetchone()
            new = connection.execute("SELECT count(*) FROM people WHERE rowid > ?", (self._last[0],)).fetchone()[0]
            after = self._last[0] if found == (self._last[1],) and count == self._count + new else 0
        if not after:
            self.clear()
        self.take(connection, after)
        self._count, self._last = count, last

    def clear(self) -> None:
        raise NotImplementedError

    def take(self, connection: sqlite3.Connection, after: int) -> None:
        """Add those behind the row number ``after``."""
        raise NotImplementedError


class _List(_Pass):
    def __init__(self, wanted: PeopleFilter) -> None:
        super().__init__()
        self._where, self._values = condition(wanted)
        self.numbers: array[int] = array("q")

    def clear(self) -> None:
        self.numbers = array("q")

    def take(self, connection: sqlite3.Connection, after: int) -> None:
        where = f"{self._where} AND rowid > ?" if after else self._where
        values = [*self._values, after] if after else self._values
        (found,) = connection.execute(f"SELECT json_group_array(rowid) FROM people WHERE {where}", values).fetchone()
        self.numbers.extend(sorted(json.loads(found)))


class _Counts(_Pass):
    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[tuple[Any, ...]] = Counter()

    def clear(self) -> None:
        self.kinds.clear()

    def take(self, connection: sqlite3.Connection, after: int) -> None:
        query = f"SELECT {_KIND}, count(*) FROM people WHERE rowid > ? AND rowid <= ? GROUP BY 1, 2, 3, 4, 5"
        (last,) = connection.execute("SELECT coalesce(max(rowid), 0) FROM people").fetchone()
        for start in range(after, last, _COUNTED):  # in parts: what is grouped is held in memory
            for *kind, n in connection.execute(query, (start, start + _COUNTED)):
                self.kinds[tuple(kind)] += n


class Crowd:
    """Everybody in a store, as lists. Any thread may ask; a list is read as of one moment."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lists: OrderedDict[PeopleFilter, _List] = OrderedDict()
        self._lock = threading.Lock()
        self._counts = _Counts()

    def any(self) -> bool:
        """Whether there is anybody."""
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM people LIMIT 1").fetchone() is not None

    def count(self, wanted: PeopleFilter = EVERYBODY) -> int:
        with self._of(wanted) as (found, _):
            return len(found.numbers)

    def counts(self) -> list[PeopleCount]:
        """By kind; together they are everybody."""
        with self._counts.lock, self._database.snapshot() as connection:
            self._counts.refresh(connection)
            kinds = sorted(self._counts.kinds.items())
        names = ("source", "method", "built_in", "extreme", "language", "n")
        return [PeopleCount.model_validate(dict(zip(names, (*kind, n), strict=True))) for kind, n in kinds]

    def rows(self, wanted: PeopleFilter = EVERYBODY, offset: int = 0, limit: int = 100) -> list[Person]:
        """A stretch of the list."""
        with self._of(wanted) as (found, connection):
            return _read(connection, found.numbers[offset : offset + limit])

    def index_of(self, person_id: str, wanted: PeopleFilter = EVERYBODY) -> int | None:
        """The place, from 0, of somebody in the list; None where they are not in it."""
        with self._of(wanted) as (found, connection):
            number = _number(connection, person_id)
            index = bisect_left(found.numbers, number)
            return index if number and index < len(found.numbers) and found.numbers[index] == number else None

    def next_from(
        self, person_id: str, wanted: PeopleFilter = EVERYBODY, step: Literal[1, -1] = 1
    ) -> tuple[str, int, int] | None:
        """Of the next one after (before, with -1) somebody, around the end: the id, the place from 0 in this list, and
        how many it has. None where it is empty."""
        with self._of(wanted) as (found, connection):
            numbers, here = found.numbers, _number(connection, person_id)
            if not numbers:
                return None
            index = bisect_right(numbers, here) % len(numbers) if step > 0 else bisect_left(numbers, here) - 1
            (person,) = _read(connection, [numbers[index]])
            return person.id, index % len(numbers), len(numbers)

    def each(self, wanted: PeopleFilter = EVERYBODY) -> Iterator[Person]:
        """The list as it is now, a few hundred people in memory at a time."""
        with self._of(wanted) as (found, _):
            numbers = found.numbers[:]
        for start in range(0, len(numbers), _CHUNK):
            with self._database.reading() as connection:
                people = _read(connection, numbers[start : start + _CHUNK])
            yield from people

    def names(self, ids: Sequence[str]) -> dict[str, str]:
        """The name of each who is there, by id."""
        query = "SELECT id, json_extract(body, '$.name') FROM people WHERE id IN (SELECT value FROM json_each(?))"
        with self._database.reading() as connection:
            return dict(connection.execute(query, (json.dumps(list(ids)),)).fetchall())

    def examples_of(self, person_id: str) -> int:
        """How many examples somebody is in."""
        query = "SELECT count(*) FROM standings WHERE person_id = ?"
        with self._database.reading() as connection:
            return int(connection.execute(query, (person_id,)).fetchone()[0])

    def mark(self) -> tuple[int, int, str]:
        """Another value than before once somebody came or went."""
        query = "SELECT count(*), coalesce(max(rowid), 0) FROM people"
        with self._database.reading() as connection:
            count, last = connection.execute(query).fetchone()
            found = connection.execute("SELECT id FROM people WHERE rowid = ?", (last,)).fetchone()
        return count, last, found[0] if found else ""

    @contextmanager
    def _of(self, wanted: PeopleFilter) -> Iterator[tuple[_List, sqlite3.Connection]]:
        with self._lock:
            found = self._lists.pop(wanted, None) or _List(wanted)
            self._lists[wanted] = found  # last: the one looked at most recently
            while len(self._lists) > _KEPT:
                self._lists.popitem(last=False)
        with found.lock, self._database.snapshot() as connection:
            found.refresh(connection)
            yield found, connection


def _number(connection: sqlite3.Connection, person_id: str) -> int:
    """The row number of somebody; 0 where there is no such."""
    found = connection.execute("SELECT rowid FROM people WHERE id = ?", (person_id,)).fetchone()
    return int(found[0]) if found else 0


def _read(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Person]:
    query = "SELECT body FROM people WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY rowid"
    found = connection.execute(query, (json.dumps(list(numbers)),))
    return [Person.model_validate_json(body, extra="ignore") for (body,) in found]
