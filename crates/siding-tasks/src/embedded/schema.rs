//! The tables, and which version of them a file has.
//!
//! `live` holds what waits or runs and stays small; `done` holds what has ended. All times are milliseconds since 1970.

use rusqlite::Connection;

/// The version that this code reads and writes.
pub(super) const VERSION: i64 = 1;

/// Marks an SQLite file as one of these: `stsk`.
pub(super) const APPLICATION_ID: i64 = 0x7374_736b;

/// Makes the tables, in a transaction of the caller's.
pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLES)?;
    add(conn)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", VERSION)
}

/// Makes the tables that came later, where they are missing. An earlier program does without them.
pub(super) fn add(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(ADDED)
}

const ADDED: &str = "
CREATE TABLE IF NOT EXISTS workers (
    holder    TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    pid       INTEGER NOT NULL,
    queues    TEXT NOT NULL,         -- as JSON
    running   INTEGER NOT NULL,
    slots     INTEGER NOT NULL,
    processed INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    seen      INTEGER NOT NULL,
    until     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

const TABLES: &str = "
-- The last number given out: positions of tasks and tokens of leases are never used twice.
CREATE TABLE sequence (last INTEGER NOT NULL) STRICT;
INSERT INTO sequence (last) VALUES (0);

CREATE TABLE live (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    task        TEXT NOT NULL,
    queue       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    sent_at     INTEGER NOT NULL,
    eta         INTEGER,
    due         INTEGER NOT NULL,   -- eta, or when it was sent
    expires     INTEGER,
    unique_key  TEXT,
    group_id    TEXT,
    group_index INTEGER,
    chord       INTEGER NOT NULL,   -- 1 when it counts in a chord
    parent_id   TEXT,
    retries     INTEGER NOT NULL,
    ignore_result INTEGER NOT NULL,
    deliveries  INTEGER NOT NULL DEFAULT 0,
    losses      INTEGER NOT NULL DEFAULT 0,
    token       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,            -- NULL while it waits
    lease_ms    INTEGER,
    worker      TEXT,
    revocation  TEXT,               -- 'ignore' or 'terminate' once a running one was revoked
    exc_type    TEXT,
    exc_module  TEXT,
    exc_message TEXT,
    traceback   TEXT,
    message     TEXT NOT NULL
) STRICT;
CREATE INDEX live_waiting ON live (queue, priority, task, due) WHERE lease_until IS NULL;
CREATE INDEX live_leased ON live (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX live_expiring ON live (expires) WHERE expires IS NOT NULL AND lease_until IS NULL;
CREATE UNIQUE INDEX live_unique ON live (unique_key) WHERE unique_key IS NOT NULL;

CREATE TABLE done (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    task        TEXT NOT NULL,
    queue       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    sent_at     INTEGER NOT NULL,
    state       TEXT NOT NULL,
    done_at     INTEGER NOT NULL,
    keep_until  INTEGER NOT NULL,
    result      TEXT,
    exc_type    TEXT,
    exc_module  TEXT,
    exc_message TEXT,
    traceback   TEXT,
    children    TEXT,               -- ids, as JSON
    parent_id   TEXT,
    group_id    TEXT,
    retries     INTEGER NOT NULL,
    deliveries  INTEGER NOT NULL,
    worker      TEXT,
    message     TEXT                -- of dead letters
) STRICT;
CREATE INDEX done_keep ON done (keep_until);
CREATE INDEX done_counted ON done (queue, state);
CREATE INDEX done_dead ON done (state, seq) WHERE state <> 'SUCCESS';

CREATE TABLE chords (
    group_id TEXT PRIMARY KEY,
    size     INTEGER NOT NULL,
    parts    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE chord_parts (
    group_id TEXT NOT NULL,
    id       TEXT NOT NULL,
    place    INTEGER,
    result   TEXT NOT NULL,
    PRIMARY KEY (group_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE leaders (
    name      TEXT PRIMARY KEY,
    holder    TEXT NOT NULL,
    until     INTEGER NOT NULL,
    period_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";
