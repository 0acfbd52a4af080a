-- The audit trail: a chain of records. `hash` is the SHA-256, in hex, of `prev`, a line feed, `seq`, a line
-- feed, and `record`; `prev` is the hash of the record before, of the first one 64 zeros. `at`, `event` and
-- `username` are copies out of `record`, to look for.
CREATE TABLE trail (
    -- NOTE: with AUTOINCREMENT no number is given twice, so that a record that was cut off leaves a gap
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL, -- microseconds since 1970
    event    TEXT NOT NULL,
    username TEXT,
    record   TEXT NOT NULL,    -- JSON, ASCII
    prev     TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT;

-- The last record (head), and the last one that retention removed (base).
CREATE TABLE trail_ends (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    base_seq  INTEGER NOT NULL,
    base_hash TEXT NOT NULL,
    head_seq  INTEGER NOT NULL,
    head_hash TEXT NOT NULL
) STRICT;
INSERT INTO trail_ends VALUES (1,
    0, '0000000000000000000000000000000000000000000000000000000000000000',
    0, '0000000000000000000000000000000000000000000000000000000000000000');

-- From here on `decisions` is what the loop needs to know of mails that it has seen; each row has its record.
ALTER TABLE decisions ADD COLUMN trail INTEGER;
-- An older program that still runs would decide without a record.
CREATE TRIGGER decisions_have_records BEFORE INSERT ON decisions WHEN NEW.trail IS NULL
BEGIN SELECT RAISE(ABORT, 'a newer sftoken has taken over this ledger: restart this one'); END;
