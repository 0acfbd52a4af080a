-- The folder's HIGHESTMODSEQ when it was looked through last (RFC 7162), where the server tells it: one that
-- goes back under the same UIDVALIDITY is a backup that was put back.
ALTER TABLE cursors ADD COLUMN mod_seq INTEGER;
