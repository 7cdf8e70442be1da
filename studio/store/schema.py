"""The tables of ``examples.db``: those of its first version, and the steps that later versions added.

What was written once and never changes (examples, judgements, decisions, people, calls) is a JSON body. What lists
filter and count by is in the narrow table ``standings``, one row an example, so that neither a long prompt nor a long
reply is read to draw a list or rewritten by a decision.
"""

from __future__ import annotations

FIRST = 1

TABLES = """
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

_LABELS = """
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

_DOCUMENTS = """
-- What is written whole and looked up by its kind and id: votes, conversations, evaluations, samples.
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    run_id TEXT NOT NULL,   -- '' where it is of none
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX documents_by_run ON documents (kind, run_id);

-- Decisions of one step, and the order in which steps were undone: the one undone last is redone first.
ALTER TABLE decisions ADD COLUMN step INTEGER NOT NULL DEFAULT 0;
UPDATE decisions SET step = -id WHERE state = 'undone';
ALTER TABLE decisions ADD COLUMN batch TEXT NOT NULL DEFAULT '';
UPDATE decisions SET batch = json_extract(body, '$.batch') WHERE json_extract(body, '$.batch') <> '';
CREATE INDEX decisions_by_batch ON decisions (batch, state, id) WHERE batch <> '';
CREATE INDEX decisions_undone ON decisions (step) WHERE state = 'undone';

-- Signatures for finding near-duplicates, of the text that stands: gone when that changes.
CREATE TABLE signatures (
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES examples (seq),
    body BLOB NOT NULL,
    PRIMARY KEY (kind, seq)
) WITHOUT ROWID;
CREATE INDEX signatures_by_example ON signatures (seq);

-- An index of one letter: those of two and three cost a sixth of an insert and save nothing.
ALTER TABLE search RENAME TO former_search;
CREATE VIRTUAL TABLE search USING fts5 (words, tokenize = "unicode61 remove_diacritics 2", prefix = "1");
INSERT INTO search (rowid, words) SELECT rowid, words FROM former_search;
DROP TABLE former_search;

-- Counted by whether a person decided, too.
DROP TRIGGER standing_added;
DROP TRIGGER standing_changed;
DROP TABLE tallies;
CREATE TABLE tallies (
    spec_hash TEXT NOT NULL,
    category TEXT NOT NULL,
    scenario TEXT NOT NULL,
    status TEXT NOT NULL,
    decided INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (spec_hash, category, scenario, status, decided)
) WITHOUT ROWID;
INSERT INTO tallies SELECT spec_hash, category, scenario, status, decision IS NOT NULL, count(*)
    FROM standings GROUP BY 1, 2, 3, 4, 5;
CREATE TRIGGER standing_added AFTER INSERT ON standings BEGIN
    INSERT INTO tallies VALUES (new.spec_hash, new.category, new.scenario, new.status, new.decision IS NOT NULL, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER standing_changed AFTER UPDATE OF status, spec_hash, decision ON standings
WHEN (old.status, old.spec_hash, old.decision IS NULL) IS NOT (new.status, new.spec_hash, new.decision IS NULL) BEGIN
    UPDATE tallies SET n = n - 1 WHERE spec_hash = old.spec_hash AND category = old.category
        AND scenario = old.scenario AND status = old.status AND decided = (old.decision IS NOT NULL);
    INSERT INTO tallies VALUES (new.spec_hash, new.category, new.scenario, new.status, new.decision IS NOT NULL, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
"""

_SPENDING = """
-- What calls took, a row a purpose. The word that there will be no answer is no call.
DROP TRIGGER call_added;
DROP TABLE spending;
CREATE TABLE spending (
    purpose TEXT PRIMARY KEY,
    calls INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,      -- calls whose price is not known
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    cost_usd REAL NOT NULL          -- of the others
) WITHOUT ROWID;
INSERT INTO spending
    SELECT coalesce(json_extract(body, '$.purpose'), ''), count(*), sum(json_extract(body, '$.cost_usd') IS NULL),
        CAST(total(json_extract(body, '$.prompt_tokens')) AS INTEGER),
        CAST(total(json_extract(body, '$.completion_tokens')) AS INTEGER),
        total(json_extract(body, '$.seconds')), total(json_extract(body, '$.cost_usd'))
    FROM calls WHERE coalesce(json_extract(body, '$.outcome'), '') <> 'given up' GROUP BY 1;
CREATE TRIGGER call_added AFTER INSERT ON calls
WHEN coalesce(json_extract(new.body, '$.outcome'), '') <> 'given up' BEGIN
    INSERT INTO spending VALUES (
        coalesce(json_extract(new.body, '$.purpose'), ''), 1, json_extract(new.body, '$.cost_usd') IS NULL,
        coalesce(json_extract(new.body, '$.prompt_tokens'), 0),
        coalesce(json_extract(new.body, '$.completion_tokens'), 0),
        coalesce(json_extract(new.body, '$.seconds'), 0), coalesce(json_extract(new.body, '$.cost_usd'), 0)
    ) ON CONFLICT DO UPDATE SET
        calls = calls + 1,
        unpriced = unpriced + excluded.unpriced,
        prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens,
        seconds = seconds + excluded.seconds,
        cost_usd = cost_usd + excluded.cost_usd;
END;
"""

_FACETS = """
-- What lists filter and sort by besides: kept by settle(), here from the bodies once.
ALTER TABLE standings ADD COLUMN origin TEXT NOT NULL DEFAULT 'generated';
ALTER TABLE standings ADD COLUMN job_id TEXT NOT NULL DEFAULT '';   -- the job that made it
ALTER TABLE standings ADD COLUMN words INTEGER NOT NULL DEFAULT 0;  -- of the last reply as it stands
ALTER TABLE standings ADD COLUMN judge TEXT NOT NULL DEFAULT '';    -- from here on of the text that stands; '' while
ALTER TABLE standings ADD COLUMN total REAL;                        -- nobody judged that
ALTER TABLE standings ADD COLUMN marks TEXT NOT NULL DEFAULT '{}';  -- trait -> 0, 1 or 2
ALTER TABLE standings ADD COLUMN violated INTEGER NOT NULL DEFAULT 0;   -- whether a rule is, a boundary apart
ALTER TABLE standings ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standings ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0;    -- whether a review found something
UPDATE standings SET
    origin = coalesce(found.origin, 'generated'), job_id = coalesce(found.job_id, ''), edited = found.edited,
    words = length(found.reply) - length(replace(replace(found.reply, ' ', ''), char(10), '')) + 1
FROM (
    SELECT standings.seq, json_extract(examples.body, '$.origin') AS origin,
        json_extract(examples.body, '$.job_id') AS job_id,
        json_extract(decisions.body, '$.messages[0]') IS NOT NULL AS edited,
        trim(coalesce(json_extract(decisions.body, '$.messages[#-1].content'),
                      json_extract(examples.body, '$.messages[#-1].content'), '')) AS reply
    FROM standings JOIN examples USING (seq) LEFT JOIN decisions ON decisions.id = decision
) AS found WHERE found.seq = standings.seq;
UPDATE standings SET judge = found.judge, total = found.total, marks = found.marks, violated = found.violated
FROM (
    SELECT standings.seq, json_extract(judgements.body, '$.judge') AS judge,
        json_extract(judgements.body, '$.total') AS total,
        (SELECT json_group_object(key, json_extract(value, '$.score'))
            FROM json_each(judgements.body, '$.traits')) AS marks,
        EXISTS (SELECT 1 FROM json_each(judgements.body, '$.violations')
            WHERE json_extract(value, '$.kind') NOT IN ('boundary', 'pattern_timeout')) AS violated
    FROM standings JOIN judgements ON judgements.id = judgement LEFT JOIN decisions ON decisions.id = decision
    WHERE NOT standings.edited OR json_extract(judgements.body, '$.at') > json_extract(decisions.body, '$.at')
) AS found WHERE found.seq = standings.seq;
"""

STEPS = {1: _LABELS, 2: _DOCUMENTS, 3: _SPENDING, 4: _FACETS}
"""Version -> the statements that make the next one of it."""
VERSION = FIRST + len(STEPS)
"""``PRAGMA user_version`` of a file of this studio."""
