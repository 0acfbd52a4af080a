#!/usr/bin/env python3
"""Takes the events of sftoken's webhook, and believes only those that are signed.

    webhook_receiver.py SECRET_FILE [PORT]

Put it behind something that speaks TLS. Needs nothing but Python.
"""
import base64, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

secret = open(sys.argv[1]).read().strip()
key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
seen = set()  # keep it somewhere that outlives this program


def genuine(headers, body):
    id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    mac = base64.b64encode(hmac.digest(key, f"{id}.{sent}.".encode() + body, "sha256")).decode()
    given = headers.get("webhook-signature", "").split()
    fresh = sent.isdigit() and abs(time.time() - int(sent)) < 300
    return fresh and any(hmac.compare_digest(one.encode(), f"v1,{mac}".encode()) for one in given)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), 1_000_000))
        believed = genuine(self.headers, body)
        self.send_response(204 if believed else 401)
        self.end_headers()
        if believed and self.headers["webhook-id"] not in seen:  # an event may come twice
            seen.add(self.headers["webhook-id"])
            event = json.loads(body)
            print(event["event"], event["username"], event["fingerprint"], flush=True)


server = HTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Receiver)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
