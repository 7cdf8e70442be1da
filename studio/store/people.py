"""Those who talk to the persona."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from studio.store.records import Person


def add(connection: sqlite3.Connection, person: Person) -> bool:
    """Whether somebody is new; an id that is there already is left as it is: examples tell by it who asked."""
    body = person.model_dump_json()
    return connection.execute("INSERT INTO people (body) VALUES (?) ON CONFLICT DO NOTHING", (body,)).rowcount > 0


def each(connection: sqlite3.Connection, source: str | None, after: int, count: int) -> list[tuple[int, Person]]:
    """``count`` people in the order in which they came, those behind the place ``after``, each with theirs."""
    which = "" if source is None else "AND source = ? "
    values = (after, count) if source is None else (after, source, count)
    found = connection.execute(f"SELECT rowid, body FROM people WHERE rowid > ? {which}ORDER BY rowid LIMIT ?", values)
    return [(place, Person.model_validate_json(body, extra="ignore")) for place, body in found]


def replace(connection: sqlite3.Connection, old_id: str, person: Person) -> None:
    """Keep ``person`` in the place of another, who stays where an example names them."""
    add(connection, person)
    remove(connection, [old_id])


def remove(connection: sqlite3.Connection, ids: Iterable[str]) -> int:
    """Forget them, but for those whom an example names; how many they were."""
    unused = "id = ? AND id NOT IN (SELECT person_id FROM standings)"
    return sum(connection.execute(f"DELETE FROM people WHERE {unused}", (id,)).rowcount for id in ids)


def get(connection: sqlite3.Connection, person_id: str) -> Person | None:
    found = connection.execute("SELECT body FROM people WHERE id = ?", (person_id,)).fetchone()
    return None if found is None else Person.model_validate_json(found[0], extra="ignore")


def all_of(connection: sqlite3.Connection, source: str | None) -> list[Person]:
    """In the order in which they came."""
    if source is None:
        found = connection.execute("SELECT body FROM people ORDER BY rowid")
    else:
        found = connection.execute("SELECT body FROM people WHERE source = ? ORDER BY rowid", (source,))
    return [Person.model_validate_json(body, extra="ignore") for (body,) in found]


def remove_unused(connection: sqlite3.Connection, source: str) -> int:
    """Those of ``source`` whom no example names; how many they were."""
    unused = "source = ? AND id NOT IN (SELECT person_id FROM standings)"
    return connection.execute(f"DELETE FROM people WHERE {unused}", (source,)).rowcount
