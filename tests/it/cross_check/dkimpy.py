"""dkimpy's word on mails, and its signatures.

    dkimpy.py TIME STEM...    verifies STEM.eml with STEM.keys as at TIME (seconds since 1970);
                              prints `pass STEM` or `fail STEM` for each
    dkimpy.py sign            signs: standard input has one job a line, in JSON; prints the field
                              DKIM-Signature of each, in base64
"""
import base64
import json
import sys

import dkim


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
    try:
        checker = dkim.DKIM(mail)
    except Exception:  # it trips over headers that are none
        return False
    count = sum(1 for name, _ in checker.headers if name.lower() == b"dkim-signature")
    for index in range(count):
        try:
            if dkim.DKIM(mail).verify(idx=index, dnsfunc=answer):
                return True
        except Exception:  # not only its own: some come from `binascii` and `int`
            pass
    return False


def private(path):
    """A key as dkimpy wants it: PEM for RSA, the seed in base64 for Ed25519."""
    pem = open(path, "rb").read()
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if b"-----" not in line))
    at = der.find(b"\x04\x22\x04\x20")
    return base64.b64encode(der[at + 4 : at + 36]) if at >= 0 else pem


def sign(job):
    field = dkim.sign(
        base64.b64decode(job["mail"]),
        job["selector"].encode(),
        job["domain"].encode(),
        private(job["key"]),
        canonicalize=(job["header"].encode(), job["body"].encode()),
        signature_algorithm=job["algorithm"].encode(),
        include_headers=[name.encode() for name in job["fields"]],
    )
    print(base64.b64encode(field).decode())


if sys.argv[1] == "sign":
    for line in sys.stdin:
        sign(json.loads(line))
else:
    now = int(sys.argv[1])
    dkim.time.time = lambda: now
    for stem in sys.argv[2:]:
        print("pass" if passes(stem) else "fail", stem)
