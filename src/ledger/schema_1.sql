-- Times are RFC 3339 in UTC; no column ever holds a token.

CREATE TABLE cursors (
    mailbox      TEXT NOT NULL,
    folder       TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    next_uid     INTEGER NOT NULL,
    PRIMARY KEY (mailbox, folder)
) STRICT;

-- Last proven contact with a folder.
CREATE TABLE contacts (
    mailbox TEXT NOT NULL,
    folder  TEXT NOT NULL,
    at      INTEGER NOT NULL, -- seconds since 1970
    PRIMARY KEY (mailbox, folder)
) STRICT;

-- The audit trail: one row a decision, in order, never changed.
CREATE TABLE decisions (
    id           INTEGER PRIMARY KEY,
    at           TEXT NOT NULL,
    mailbox      TEXT,
    folder       TEXT,
    uid_validity INTEGER,
    uid          INTEGER,
    file         TEXT,
    outcome      TEXT NOT NULL,
    reason       TEXT,
    username     TEXT,
    org          TEXT,
    fingerprint  TEXT,
    date         TEXT,
    message_id   TEXT,
    body_hash    TEXT,
    slot         TEXT
) STRICT;
CREATE INDEX decisions_by_mail ON decisions (mailbox, folder, uid_validity, uid);
CREATE INDEX decisions_by_username ON decisions (username);

-- What is newest in each slot.
CREATE TABLE slots (
    slot        TEXT PRIMARY KEY,
    rank        TEXT NOT NULL, -- JSON
    fingerprint TEXT NOT NULL,
    message_id  TEXT,
    org         TEXT NOT NULL,
    state       TEXT NOT NULL, -- pending | stored
    username    TEXT,          -- of the receipt
    receipt     TEXT           -- JSON: the last token that was stored, perhaps older than `rank`
) STRICT;
