"""What people decided: appended, and taken back and put back in order, also after a restart."""

from __future__ import annotations

import sqlite3
from typing import Literal

from studio.store import bodies
from studio.store.records import Decision
from studio.store.standing import read_decision, settle, standing_decision


def add(connection: sqlite3.Connection, decision: Decision) -> Decision:
    """Let a decision stand; it comes back with its id. What was undone before it can no longer be redone.

    Accepting or rejecting an edited conversation speaks of the edited one, so the decision carries it on.
    """
    seq, example = bodies.find(connection, decision.example_id)
    if decision.action in ("accept", "reject") and not decision.messages:
        before = standing_decision(connection, seq)
        if before is not None:
            decision = decision.model_copy(update={"messages": before.messages})
    connection.execute("UPDATE decisions SET state = 'dropped' WHERE state = 'undone'")
    body = decision.model_copy(update={"id": 0}).model_dump_json()
    cursor = connection.execute("INSERT INTO decisions (seq, body) VALUES (?, ?)", (seq, body))
    settle(connection, seq, example)
    return decision.model_copy(update={"id": cursor.lastrowid})


def undo(connection: sqlite3.Connection) -> list[Decision]:
    """Take back the last decision that stands, with all of its batch."""
    return _move(connection, "SELECT max(id) FROM decisions WHERE state = 'done'", "undone")


def redo(connection: sqlite3.Connection) -> list[Decision]:
    """Put back what the last undo took. Those that are undone are newer than all that are done: the first is next."""
    return _move(connection, "SELECT min(id) FROM decisions WHERE state = 'undone'", "done")


def history(connection: sqlite3.Connection, example_id: str) -> list[Decision]:
    """Those of one example that are not undone, oldest first."""
    seq, _ = bodies.find(connection, example_id)
    found = connection.execute("SELECT id, body FROM decisions WHERE seq = ? AND state = 'done' ORDER BY id", (seq,))
    return [read_decision(number, body) for number, body in found]


def _move(connection: sqlite3.Connection, choose: str, state: Literal["done", "undone"]) -> list[Decision]:
    moved: list[Decision] = []
    while True:
        (number,) = connection.execute(choose).fetchone()
        if number is None:
            return moved
        (body,) = connection.execute("SELECT body FROM decisions WHERE id = ?", (number,)).fetchone()
        decision = read_decision(number, body)
        if moved and (not decision.batch or decision.batch != moved[0].batch):
            return moved
        connection.execute("UPDATE decisions SET state = ? WHERE id = ?", (state, number))
        settle(connection, *bodies.find(connection, decision.example_id))
        moved.append(decision)
