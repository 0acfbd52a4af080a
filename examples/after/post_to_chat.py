#!/usr/bin/env python3
"""A hook that tells a chat (Slack, Mattermost, Rocket.Chat: an "incoming webhook") what became of a token.

    on_stored = ["/usr/local/lib/sftoken/post_to_chat.py", "/etc/sftoken/chat-url"]

The URL is a secret: it stands in a file that only sftoken's user may read. Exit 75 asks sftoken to try again.
"""
import json, sys, urllib.error, urllib.request

event = json.load(sys.stdin)
text = f"{event['event']}: {event['username']} ({event['org']}), fingerprint {event['fingerprint']}"
if event["detail"]:
    text += f": {event['detail']}"
url = open(sys.argv[1]).read().strip()
body = json.dumps({"text": text}).encode()
request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
try:
    urllib.request.urlopen(request, timeout=10).close()
except urllib.error.HTTPError as error:
    print(f"the chat answered {error.code}", file=sys.stderr)
    sys.exit(75 if error.code == 429 or error.code >= 500 else 1)
except OSError:  # it may hold the URL
    print("the chat cannot be reached", file=sys.stderr)
    sys.exit(75)
