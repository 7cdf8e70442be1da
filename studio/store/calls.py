"""Calls to models that were paid for, so that none is paid for twice, and what they took by their purpose."""

from __future__ import annotations

import sqlite3

from studio.calls import CallRecord, Spent


def add(connection: sqlite3.Connection, record: CallRecord) -> None:
    """Of two with the same key the first is kept."""
    connection.execute("INSERT INTO calls (body) VALUES (?) ON CONFLICT DO NOTHING", (record.model_dump_json(),))


def get(connection: sqlite3.Connection, key: str) -> CallRecord | None:
    found = connection.execute("SELECT body FROM calls WHERE key = ?", (key,)).fetchone()
    return None if found is None else CallRecord.model_validate_json(found[0], extra="ignore")


def spending(connection: sqlite3.Connection) -> dict[str, Spent]:
    """What all kept calls took, by purpose."""
    found = connection.execute(f"SELECT purpose, {', '.join(Spent._fields)} FROM spending")
    return {purpose: Spent(*taken) for purpose, *taken in found}
