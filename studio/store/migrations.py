"""Migrations of ``examples.db``: what each version adds to the one before. A new file takes the same steps."""

from __future__ import annotations

import sqlite3
from pathlib import Path

STEPS: dict[int, str] = {
    1: """
-- What people say of the replies of a training run, by the digest of the reply; the newest one counts.
CREATE TABLE run_labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    probe_id TEXT NOT NULL,
    side TEXT NOT NULL,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (run_id, probe_id, side, digest)
);
CREATE TABLE pair_votes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    probe_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (run_id, probe_id, digest)
);
"""
}
"""Version -> the statements that make the next one of it."""


def keep_copy(connection: sqlite3.Connection, version: int) -> None:
    """A copy of the file as it was, beside it, before it is changed. One that is there already is left."""
    (name,) = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    copy = Path(name).with_suffix(f".v{version}.db")
    if not copy.exists():
        connection.execute("VACUUM INTO ?", (str(copy),))
