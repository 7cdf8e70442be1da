"""What people decided: appended, and undone and redone in order, also after a restart.

Decisions with the same ``batch`` are one step. They are made, undone and redone in chunks, each a durable transaction
of its own, so that nobody waits long for a step of thousands; one that was cut short by a kill is undone as one step.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from studio.store import rows
from studio.store.judgements import read_decision, settle, settle_decisions, standing_decision
from studio.store.records import Decision

CHUNK = 500
"""Decisions in one transaction: 20 ms."""


def add(connection: sqlite3.Connection, decisions: Sequence[Decision]) -> list[Decision]:
    """Let decisions stand; they come back with their ids. What was undone before can no longer be redone.

    Accepting or rejecting an edited conversation speaks of the edited one, so the decision carries it on.
    """
    seqs = rows.known(connection, [one.example_id for one in decisions])
    edited = _edited(connection, list(seqs.values()))
    connection.execute("UPDATE decisions SET state = 'dropped' WHERE state = 'undone'")
    added: list[Decision] = []
    changes_text: set[str] = set()
    for decision in decisions:
        seq = seqs[decision.example_id]
        if seq in edited or decision.messages:
            changes_text.add(decision.example_id)
            before = standing_decision(connection, seq)
            if decision.action in ("accept", "reject") and not decision.messages and before is not None:
                decision = decision.model_copy(update={"messages": before.messages})
            if decision.messages:
                edited.add(seq)
        body = decision.model_copy(update={"id": 0}).model_dump_json()
        cursor = connection.execute(
            "INSERT INTO decisions (seq, body, batch) VALUES (?, ?, ?)", (seq, body, decision.batch)
        )
        added.append(decision.model_copy(update={"id": cursor.lastrowid}))
    _settle(connection, seqs, changes_text)
    return added


def undo(connection: sqlite3.Connection, batch: str | None = None) -> list[Decision]:
    """Take back the last decision that stands, with up to :data:`CHUNK` of its step; of ``batch``, its next ones."""
    last = connection.execute("SELECT id, batch FROM decisions WHERE state = 'done' ORDER BY id DESC LIMIT 1")
    chosen = _of_step(connection, batch if batch is not None else last.fetchone(), "done", "id DESC")
    (step,) = connection.execute("SELECT 1 + coalesce(max(step), 0) FROM decisions WHERE state = 'undone'").fetchone()
    return _move(connection, chosen, "undone", step)


def redo(connection: sqlite3.Connection, batch: str | None = None) -> list[Decision]:
    """Put back what the last undo took, up to :data:`CHUNK` of it; of ``batch``, its next ones."""
    last = connection.execute("SELECT id, batch FROM decisions WHERE state = 'undone' ORDER BY step DESC, id LIMIT 1")
    chosen = _of_step(connection, batch if batch is not None else last.fetchone(), "undone", "id")
    return _move(connection, chosen, "done", 0)


def history(connection: sqlite3.Connection, example_id: str) -> list[Decision]:
    """Those of one example that are not undone, oldest first."""
    seq = rows.known(connection, [example_id]).popitem()[1]
    found = connection.execute("SELECT id, body FROM decisions WHERE seq = ? AND state = 'done' ORDER BY id", (seq,))
    return [read_decision(number, body) for number, body in found]


def _of_step(
    connection: sqlite3.Connection, step: tuple[int, str] | str | None, state: str, order: str
) -> list[tuple[int, str]]:
    """Ids and bodies of the next decisions of a step, given by its batch or by one of its decisions."""
    if step is None:
        return []
    batch = step if isinstance(step, str) else step[1]
    if not batch:
        return connection.execute("SELECT id, body FROM decisions WHERE id = ?", (step[0],)).fetchall()
    return connection.execute(
        f"SELECT id, body FROM decisions WHERE batch = ? AND batch <> '' AND state = ? ORDER BY {order} LIMIT {CHUNK}",
        (batch, state),
    ).fetchall()


def _move(connection: sqlite3.Connection, chosen: Sequence[tuple[int, str]], state: str, step: int) -> list[Decision]:
    if not chosen:
        return []
    moved = [read_decision(number, body) for number, body in chosen]
    seqs = rows.known(connection, [one.example_id for one in moved])
    before = _edited(connection, list(seqs.values()))
    connection.executemany(
        "UPDATE decisions SET state = ?, step = ? WHERE id = ?", [(state, step, one.id) for one in moved]
    )
    after = _edited(connection, list(seqs.values()))
    _settle(connection, seqs, {name for name, seq in seqs.items() if seq in before or seq in after})
    return moved


def _settle(connection: sqlite3.Connection, seqs: dict[str, int], changes_text: set[str]) -> None:
    for name in sorted(changes_text):
        settle(connection, *rows.find(connection, name))
    if same_text := sorted(seq for name, seq in seqs.items() if name not in changes_text):
        settle_decisions(connection, same_text)


def _edited(connection: sqlite3.Connection, seqs: Sequence[int]) -> set[int]:
    """Those of ``seqs`` whose newest decision carries an edited conversation."""
    found = connection.execute(
        "SELECT seq FROM decisions WHERE id IN (SELECT (SELECT max(id) FROM decisions"
        " WHERE seq = value AND state = 'done') FROM json_each(?)) AND json_extract(body, '$.messages[0]') IS NOT NULL",
        (json.dumps(list(seqs)),),
    )
    return {seq for (seq,) in found}
