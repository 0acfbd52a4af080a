#!/usr/bin/env python3
"""Recomputes an exported audit trail, without sftoken: sftoken history --json | check_trail.py [SEQ:HASH]

The export must be whole: no username, no --since, --until or --limit. SEQ:HASH is a head that was written down earlier."""
import hashlib, json, sys

anchor = sys.argv[1] if len(sys.argv) > 1 else None
first = removed = before = "0:" + "0" * 64
for number, line in enumerate(sys.stdin):
    entry = json.loads(line)
    seq, prev, record = entry["seq"], entry["prev"], entry["record"]
    if number == 0:
        first = before = f"{seq - 1}:{prev}"
    if f"{seq - 1}:{prev}" != before:
        sys.exit(f"record {seq} does not follow {before}")
    if hashlib.sha256(f"{prev}\n{seq}\n{record}".encode()).hexdigest() != entry["hash"]:
        sys.exit(f"record {seq} was changed: its hash does not fit")
    if any(entry[key] != value for key, value in json.loads(record).items()):
        sys.exit(f"record {seq}: a key does not say what the record says")
    if entry["event"] == "pruned":
        removed = entry["detail"]
    before = f"{seq}:{entry['hash']}"
    if anchor and anchor.startswith(f"{seq}:") and anchor != before:
        sys.exit(f"record {seq} is not the one that the anchor names")
if removed != first:
    sys.exit(f"the trail begins behind {first}, but no record says that retention removed it")
if anchor and not int(first.split(":")[0]) < int(anchor.split(":")[0]) <= int(before.split(":")[0]):
    sys.exit(f"the anchor's record is not there: the trail ends with {before}")
print(f"whole: head {before}")
