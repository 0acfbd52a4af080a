"""Python's imaplib, as a client of the server in memory: every answer must be what imaplib expects."""

import imaplib
import sys

client = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]), timeout=30)
try:
    client.login("ann", "wrong")
except imaplib.IMAP4.error as error:
    assert b"AUTHENTICATIONFAILED" in error.args[0], error
else:
    raise AssertionError("a wrong password was taken")
client.login("ann", "pass word")
assert "AUTH=PLAIN" in client.capabilities, client.capabilities

kind, folders = client.list()
assert kind == "OK" and len(folders) == 2 and b"\\Junk" in folders[1], folders

kind, [count] = client.select("INBOX")
assert (kind, count) == ("OK", b"1"), count
assert client.response("UIDVALIDITY") == ("UIDVALIDITY", [b"1"])
kind, [found] = client.uid("SEARCH", "UID", "1:*")
assert (kind, found) == ("OK", b"1"), found
kind, [(line, mail), end] = client.uid("FETCH", "1", "(INTERNALDATE RFC822.SIZE BODY.PEEK[])")
assert kind == "OK" and mail.endswith(b"\r\n\r\nbody \xff (((\r\n") and end == b")", mail
assert imaplib.Internaldate2tuple(line) is not None, line
assert client.uid("FETCH", "1", "(FLAGS)")[1] == [b"1 (UID 1 FLAGS ())"]

date = imaplib.Time2Internaldate(1_800_000_000)
kind, [told] = client.append("INBOX", "(\\Flagged Mine)", date, b"Subject: two\n\ntwo\n")
assert kind == "OK" and b"APPENDUID 1 2" in told, told
assert client.noop()[0] == "OK"
assert client.response("EXISTS")[1][-1] == b"2"
assert client.fetch("2", "(RFC822.SIZE)")[1] == [b"2 (RFC822.SIZE 21)"]

kind, [told] = client.uid("MOVE", "1", "Junk")
assert kind == "OK", told
assert client.status("Junk", "(MESSAGES UIDNEXT)")[1] == [b'"Junk" (MESSAGES 1 UIDNEXT 2)']
assert client.uid("SEARCH", "ALL")[1] == [b"2"]
assert client.close()[0] == "OK"
assert client.logout()[0] == "BYE"
