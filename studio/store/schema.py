"""The tables of ``examples.db``.

What was written once and never changes (examples, judgements, decisions, people, calls) is a JSON body. What lists
filter and count by is in the narrow table ``standings``, one row an example, so that neither a long prompt nor a long
reply is read to draw a list or rewritten by a decision.
"""

from __future__ import annotations

import sqlite3

from studio.store.migrations import STEPS, keep_copy

FIRST = 1
VERSION = FIRST + len(STEPS)
"""``PRAGMA user_version`` of a file that this module made."""

_TABLES = """
CREATE TABLE people (
    body TEXT NOT NULL,
    id TEXT NOT NULL GENERATED ALWAYS AS (json_extract(body, '$.id')) VIRTUAL,
    source TEXT NOT NULL GENERATED ALWAYS AS (json_extract(body, '$.source')) VIRTUAL
);
CREATE UNIQUE INDEX people_by_id ON people (id);
CREATE INDEX people_by_source ON people (source);

-- Contents of prompt messages, each kept once: thousands of examples share one system prompt.
CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    content TEXT NOT NULL
);

-- In the body the contents of the prompt are ids of texts.
CREATE TABLE examples (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,    -- a column of its own: an index on a generated one does not cover it
    body TEXT NOT NULL
);

CREATE TABLE judgements (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL REFERENCES examples (seq),
    body TEXT NOT NULL
);
CREATE INDEX judgements_by_example ON judgements (seq, id);

-- Appended, never changed but for the state: done, undone (redo takes it back), dropped (decided anew after an undo).
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL REFERENCES examples (seq),
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'done' CHECK (state IN ('done', 'undone', 'dropped'))
);
CREATE INDEX decisions_by_state ON decisions (state, id);
CREATE INDEX decisions_by_example ON decisions (seq, state, id);

CREATE TABLE standings (
    seq INTEGER PRIMARY KEY REFERENCES examples (seq),
    category TEXT NOT NULL,
    scenario TEXT NOT NULL,
    person_id TEXT NOT NULL,
    spec_hash TEXT NOT NULL,    -- of the newest judgement; of the example while there is none
    judgement INTEGER,          -- the newest of the text that stands, else the newest
    decision INTEGER,           -- the one that stands
    status TEXT NOT NULL CHECK (status IN ('accepted', 'rejected', 'pending')),
    changed INTEGER NOT NULL    -- grows with every change to any row
);
CREATE UNIQUE INDEX standings_by_change ON standings (changed);
CREATE INDEX standings_by_status ON standings (status);
CREATE INDEX standings_by_category ON standings (category, status);
CREATE INDEX standings_by_person ON standings (person_id);

-- Why an example that stands rejected is.
CREATE TABLE reasons (
    reason TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES standings (seq),
    PRIMARY KEY (reason, seq)
) WITHOUT ROWID;
CREATE INDEX reasons_by_example ON reasons (seq);

-- How many standings there are of each kind, kept by triggers: counting never walks the examples.
CREATE TABLE tallies (
    spec_hash TEXT NOT NULL,
    category TEXT NOT NULL,
    scenario TEXT NOT NULL,
    status TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (spec_hash, category, scenario, status)
) WITHOUT ROWID;
CREATE TRIGGER standing_added AFTER INSERT ON standings BEGIN
    INSERT INTO tallies VALUES (new.spec_hash, new.category, new.scenario, new.status, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER standing_changed AFTER UPDATE OF status, spec_hash ON standings BEGIN
    UPDATE tallies SET n = n - 1 WHERE spec_hash = old.spec_hash AND category = old.category
        AND scenario = old.scenario AND status = old.status;
    INSERT INTO tallies VALUES (new.spec_hash, new.category, new.scenario, new.status, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TABLE reason_tallies (reason TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER reason_added AFTER INSERT ON reasons BEGIN
    INSERT INTO reason_tallies VALUES (new.reason, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER reason_removed AFTER DELETE ON reasons BEGIN
    UPDATE reason_tallies SET n = n - 1 WHERE reason = old.reason;
END;

CREATE TABLE calls (
    body TEXT NOT NULL,
    key TEXT NOT NULL GENERATED ALWAYS AS (json_extract(body, '$.key')) VIRTUAL
);
CREATE UNIQUE INDEX calls_by_key ON calls (key);
CREATE TABLE spending (
    calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost_usd REAL
);
INSERT INTO spending VALUES (0, 0, 0, NULL);
CREATE TRIGGER call_added AFTER INSERT ON calls BEGIN
    UPDATE spending SET
        calls = calls + 1,
        prompt_tokens = prompt_tokens + json_extract(new.body, '$.prompt_tokens'),
        completion_tokens = completion_tokens + json_extract(new.body, '$.completion_tokens'),
        cost_usd = coalesce(cost_usd + json_extract(new.body, '$.cost_usd'),
                            cost_usd, json_extract(new.body, '$.cost_usd'));
END;

-- The conversations as they stand, by words and by their first letters; rowid is seq.
CREATE VIRTUAL TABLE search USING fts5 (words, tokenize = "unicode61 remove_diacritics 2", prefix = "1 2 3");
"""


def prepare(connection: sqlite3.Connection) -> int:
    """Make the tables in an empty file, and what is missing in one of an earlier version, in one transaction.

    Returns the version of the file. An earlier one is copied before (``examples.v1.db``).
    """
    version = _version(connection)
    if version >= VERSION:
        return version
    if version:
        keep_copy(connection, version)
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have been faster
        scripts = ([] if version else [_TABLES]) + [STEPS[step] for step in range(version or FIRST, VERSION)]
        for statement in (statement for script in scripts for statement in _statements(script)):
            connection.execute(statement)
        if scripts:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise
    return _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> list[str]:
    """One by one: :meth:`sqlite3.Connection.executescript` would commit before it begins."""
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found
