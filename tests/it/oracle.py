"""Verifies mails with dkimpy: PATH.eml with PATH.keys; prints `pass PATH` or `fail PATH` for each.

The first argument is the time, in seconds since 1970, at which the mails are looked at.
"""
import sys

import dkim

now = int(sys.argv[1])
dkim.time.time = lambda: now


def keys(path):
    found = {}
    for line in open(path, encoding="utf-8"):
        name, value = line.strip().split(" ", 1)
        found[name] = value.encode()
    return found


def passes(stem):
    mail = open(stem + ".eml", "rb").read()
    records = keys(stem + ".keys")
    answer = lambda name, timeout=5: records.get(name.decode().rstrip(".").lower())
    checker = dkim.DKIM(mail)
    count = sum(1 for name, _ in checker.headers if name.lower() == b"dkim-signature")
    for index in range(count):
        try:
            if dkim.DKIM(mail).verify(idx=index, dnsfunc=answer):
                return True
        except dkim.DKIMException:
            pass
    return False


for stem in sys.argv[2:]:
    print("pass" if passes(stem) else "fail", stem)
