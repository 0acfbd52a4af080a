-- A mail that was moved, copied or renumbered is found again by its bytes.
CREATE INDEX decisions_by_hash ON decisions (mailbox, body_hash);

-- Mails that this machine has claimed on the server, and their modification sequence then.
CREATE TABLE claims (
    mailbox      TEXT NOT NULL,
    folder       TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid          INTEGER NOT NULL,
    mod_seq      INTEGER NOT NULL,
    PRIMARY KEY (mailbox, folder, uid_validity, uid)
) STRICT;
