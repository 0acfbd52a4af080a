#!/usr/bin/env bash
# The main job, for real, on this machine: a reset, a mail, a mailbox, a proof, a keyring, a consumer.
# A throw-away Dovecot and a throw-away keyring play the world; nothing of yours is read or changed.
# Needs Rust, and Debian or Ubuntu: what else is missing is installed when this runs as root or with
# sudo, and named otherwise. Ends with 0 only if every step held.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
needs=()
username=integration@acme.example
mailbox=ops
# shellcheck source=examples/lib/stage.sh
. "$root/examples/lib/stage.sh"

# What a reset causes: a new token, in a signed mail, delivered to the mailbox.
reset_token() {
    "$token_mail" "$username" <"$work/token" >"$work/mail.eml"
    deliver "$work/mail.eml"
}

# --- the steps --------------------------------------------------------------------------------

# As the command behind `sftoken wait --`: nothing to clean up.
if [ "${1:-}" = reset ]; then
    trap - EXIT
    work=$2 lmtp=$3 token_mail=$4
    reset_token
    exit
fi

step "what this needs: Rust, a mail server, a keyring"
command -v cargo >/dev/null || fail "cargo is not here: install Rust 1.95 or newer (https://rustup.rs)"
install_missing

step "building sftoken, and the example that writes the mail (the first time, this takes minutes)"
build token_mail

began=$SECONDS
make_work try
openssl rand -hex 12 >"$work/token"

step "starting a throw-away Dovecot, with TLS, on loopback"
start_dovecot
say "IMAPS on port $imaps, delivery (LMTP) on port $lmtp"

step "starting a throw-away session bus and GNOME Keyring"
start_keyring

step "writing config.toml"
"$token_mail" --keys >"$work/dns.keys"
cat >"$work/config.toml" <<CONFIG
state_dir = "state"

[mailbox.ops]
url = "imaps://$mailbox@127.0.0.1:$imaps"
auth = { password = "file:mailbox-password" }
ca_file = "dovecot/tls/ca.crt"

[dns]
keys = ["dns.keys"]     # in the place of the DNS, since Salesforce's key is not ours to sign with

[store.default]
url = "keyring://sftoken"

[[account]]
username = "$username"
org = "production"
CONFIG
sed 's/^/    | /' "$work/config.toml"

step "sftoken wait: arms, runs the reset, proves the mail that comes, stores the token"
in_session "$sftoken" wait --config "$work/config.toml" --account "$username" --timeout 30s \
    -- "$root/examples/try.sh" reset "$work" "$lmtp" "$token_mail" </dev/null 2>&1 | sed 's/^/    | /'

step "a consumer reads the token: secret-tool lookup service sftoken username $username"
sent=$(fingerprint <"$work/token")
read=$(in_session secret-tool lookup service sftoken username "$username" | fingerprint)
say "fingerprint in the mail $sent, in the keyring $read"
[ "$sent" = "$read" ] || fail "these are two tokens"

step "sftoken get gives the same"
got=$(in_session "$sftoken" get --config "$work/config.toml" "$username" | fingerprint)
[ "$sent" = "$got" ] || fail "sftoken get gives another token ($got)"
say "fingerprint $got"

step "sftoken status"
in_session "$sftoken" status --config "$work/config.toml" | sed 's/^/    | /'

step "a forged copy, with another token in it, is refused"
sed "s/$(cat "$work/token")/$(openssl rand -hex 12)/" "$work/mail.eml" >"$work/forged.eml"
cmp -s "$work/mail.eml" "$work/forged.eml" && fail "the copy is no forgery"
status=0
(cd "$work" && in_session "$sftoken" parse --config config.toml forged.eml </dev/null) \
    >"$work/refusal" || status=$?
sed 's/^/    | /' "$work/refusal"
say "exit status $status (4: refused)"
[ "$status" = 4 ] || fail "a forged mail must end with status 4"

echo "All of it held, in $((SECONDS - began)) s after the build."
