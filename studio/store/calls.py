"""Calls to models that were paid for, so that none is paid for twice."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from studio.calls import CallRecord


class Spent(NamedTuple):
    """What all kept calls took. ``cost_usd`` sums those whose price is known; None where none is."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


def add(connection: sqlite3.Connection, record: CallRecord) -> None:
    """Of two with the same key the first is kept."""
    connection.execute("INSERT INTO calls (body) VALUES (?) ON CONFLICT DO NOTHING", (record.model_dump_json(),))


def get(connection: sqlite3.Connection, key: str) -> CallRecord | None:
    found = connection.execute("SELECT body FROM calls WHERE key = ?", (key,)).fetchone()
    return None if found is None else CallRecord.model_validate_json(found[0], extra="ignore")


def spent(connection: sqlite3.Connection) -> Spent:
    return Spent(
        *connection.execute("SELECT calls, prompt_tokens, completion_tokens, cost_usd FROM spending").fetchone()
    )
