-- 1: another slot of the same token was still to be written, so the mail was not done with.
ALTER TABLE decisions ADD COLUMN more_to_come INTEGER NOT NULL DEFAULT 0;

-- Slots that do not take the newest token, since when and why. A row goes once the slot has it.
CREATE TABLE troubles (
    slot        TEXT PRIMARY KEY,
    username    TEXT NOT NULL,
    org         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    kind        TEXT NOT NULL,
    problem     TEXT NOT NULL,
    since       TEXT NOT NULL,
    at          TEXT NOT NULL, -- of the last try
    tries       INTEGER NOT NULL
) STRICT;

-- Resets that somebody announced: NULL is any account. Seconds since 1970.
CREATE TABLE windows (
    id       INTEGER PRIMARY KEY,
    username TEXT,
    org      TEXT,
    opens    INTEGER NOT NULL,
    closes   INTEGER NOT NULL
) STRICT;

-- One log-in for each token, and what came of it.
CREATE TABLE logins (
    username        TEXT NOT NULL,
    org             TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    at              TEXT NOT NULL,
    state           TEXT NOT NULL, -- begun | logged_in | refused | unknown
    reason          TEXT,
    problem         TEXT,
    hint            TEXT,
    against_token   INTEGER NOT NULL DEFAULT 0,
    kept_out        INTEGER NOT NULL DEFAULT 0, -- it replaces nothing until it logs in
    organization_id TEXT,
    PRIMARY KEY (username, org, fingerprint)
) STRICT;

-- What is still to be done after something happened: hooks, tests of consumers, messages.
CREATE TABLE errands (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    username    TEXT NOT NULL,
    org         TEXT NOT NULL,
    step        TEXT NOT NULL,
    event       TEXT NOT NULL,
    told        TEXT NOT NULL, -- JSON
    tries       INTEGER NOT NULL DEFAULT 0,
    due         INTEGER NOT NULL -- milliseconds since 1970
) STRICT;
CREATE INDEX errands_by_account ON errands (username, org);

-- How each step of an account went last.
CREATE TABLE results (
    username    TEXT NOT NULL,
    org         TEXT NOT NULL,
    step        TEXT NOT NULL,
    fingerprint TEXT,
    at          TEXT NOT NULL,
    ok          INTEGER NOT NULL,
    detail      TEXT,
    PRIMARY KEY (username, org, step)
) STRICT;

-- Which reminder of a token's age was sent last.
CREATE TABLE reminders (
    username    TEXT NOT NULL,
    org         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state       TEXT NOT NULL, -- due | overdue
    at          TEXT NOT NULL,
    PRIMARY KEY (username, org)
) STRICT;
