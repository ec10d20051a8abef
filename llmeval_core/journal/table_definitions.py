"""The journal's tables and indexes, as the newest version has them.

Columns of a table stand in the order in which they came, so that a migrated journal has them in
the same order as a new one: rows are inserted whole.
"""

from __future__ import annotations

import sqlite3

TABLES = """
CREATE TABLE IF NOT EXISTS generations (      -- one answered request
    fingerprint BLOB PRIMARY KEY,             -- 16 bytes: model, settings, messages
    mode TEXT NOT NULL,
    messages TEXT,                            -- JSON [[role, content], ...], see `message_rows`
    prompt TEXT,
    continuations TEXT,                       -- JSON [text, ...]
    texts TEXT NOT NULL,                      -- JSON [text, ...]
    loglikelihoods TEXT,                      -- JSON [[logprob, n_tokens, is_greedy], ...]
    finish_reason TEXT,
    n_prompt_tokens INTEGER,
    n_completion_tokens INTEGER,
    latency_s REAL NOT NULL,
    served_by TEXT,
    finished_at REAL NOT NULL,
    stop_reasons TEXT,                        -- JSON [word, ...]; this and below: since version 5
    reasonings TEXT,                          -- JSON [text or null, ...]
    n_reasoning_tokens INTEGER,
    refusal TEXT,
    not_sent TEXT,                            -- settings that the model refused: name,name,...
    extras TEXT,                              -- JSON: tools and the like; this and below: since 6
    tool_calls TEXT,                          -- JSON [[id, name, arguments], ...]
    parent BLOB                               -- fingerprint of the request whose messages come
                                              -- before `messages`
);
CREATE TABLE IF NOT EXISTS attachments (      -- images in messages; since version 6
    digest BLOB PRIMARY KEY,                  -- SHA-256
    data BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (            -- one task of one model, by all that decides it
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    started_at REAL NOT NULL,
    metrics TEXT NOT NULL DEFAULT '[]',       -- JSON [name, ...]; since version 4
    requests TEXT                             -- its cache_key; since version 4
);
CREATE TABLE IF NOT EXISTS samples (          -- how one sample of one task ended
    task INTEGER NOT NULL REFERENCES tasks(id),
    idx INTEGER NOT NULL,                     -- place in the data set, from 0
    sample_id TEXT NOT NULL,
    input TEXT NOT NULL,
    reference_texts TEXT,                     -- JSON [text, ...]
    choices TEXT,                             -- JSON [text, ...]
    answer INTEGER,
    category TEXT,
    generation BLOB,                          -- generations.fingerprint
    failure_kind TEXT,
    failure TEXT,
    outcome TEXT NOT NULL DEFAULT 'answered', -- in one word; since version 5
    messages TEXT,                            -- JSON [[role, content], ...] if the input is a
                                              -- conversation, `input` is then empty
    metric_failures TEXT,                     -- JSON {metric: [kind, message]}; `failure` is the
                                              -- first of them; since version 7
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sample_scores (    -- of one sample, in the order of tasks.metrics
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    numbers BLOB NOT NULL,                    -- a float64 each, little-endian; NaN for no value
    grades TEXT NOT NULL,                     -- a character each; see `scores.score_buckets`
    parsed TEXT,                              -- JSON [text or null, ...]; NULL if all are null
    parts TEXT,                               -- JSON [[number, ...], ...]; NULL if all are empty
    details TEXT,                             -- JSON [value or null, ...]; NULL if all are null
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS turns (            -- what was asked for one sample, if that was more
                                              -- than one request; since version 6
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    seq INTEGER NOT NULL,                     -- in the order of asking, from 0
    role TEXT NOT NULL,                       -- model, judge, ...
    generation BLOB NOT NULL,                 -- generations.fingerprint
    PRIMARY KEY (task, idx, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rounds (           -- of asking again; since version 5
    requests TEXT NOT NULL,                   -- tasks.requests
    name TEXT NOT NULL,                       -- what is asked again
    begun_at REAL NOT NULL,
    changed_at REAL,                          -- when it last replaced an answer
    PRIMARY KEY (requests, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS results (          -- one finished task, as trackers get it
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    task_fingerprint TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    body TEXT NOT NULL                        -- TaskResult as JSON
);
CREATE TABLE IF NOT EXISTS plans (            -- what results come from; since version 2
    fingerprint TEXT PRIMARY KEY,
    body TEXT NOT NULL                        -- as `llmeval plan --json` prints it
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trackers (         -- how to make a tracker again, for `llmeval sync`
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL                      -- JSON, as in the run file, `${NAME}` and all
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    result TEXT NOT NULL REFERENCES results(id),
    tracker TEXT NOT NULL,
    state TEXT NOT NULL,                      -- pending, delivered, failed
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    location TEXT,
    note TEXT,
    updated_at REAL NOT NULL,
    PRIMARY KEY (tracker, result)
) WITHOUT ROWID;
"""

INDEXES = """
CREATE INDEX IF NOT EXISTS results_by_task ON results (model, task, seq);
CREATE INDEX IF NOT EXISTS samples_by_id ON samples (task, sample_id);
CREATE INDEX IF NOT EXISTS samples_by_category ON samples (task, category, idx)
    WHERE category IS NOT NULL;
CREATE INDEX IF NOT EXISTS failed_samples ON samples (task, idx) WHERE failure_kind IS NOT NULL;
CREATE INDEX IF NOT EXISTS samples_by_outcome ON samples (task, outcome, idx)
    WHERE outcome != 'answered';
CREATE INDEX IF NOT EXISTS scores_by_grades ON sample_scores (task, grades, idx);
CREATE INDEX IF NOT EXISTS tasks_by_requests ON tasks (requests);
CREATE INDEX IF NOT EXISTS tasks_by_model ON tasks (model, key);
"""


def execute_script(connection: sqlite3.Connection, script: str) -> None:
    """Execute statements of ours one by one: `executescript` would commit the transaction."""
    for statement in script.split(";\n"):
        connection.execute(statement)
