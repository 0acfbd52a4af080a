#!/usr/bin/env bash
# The whole loop on this machine: a reset, its mail, the proof, two stores, a log-in, whoever is told, the trail.
# Then the ways in which it can fail, each with its exit status, its sentence, and what is in the stores afterwards.
# A stub Salesforce, Dovecot, GNOME Keyring and OpenBao play the world, all of them throw-away and on loopback;
# nothing of yours is read or changed. Needs what try.sh needs, and Python: missing packages are installed
# as root or with sudo, and named otherwise. Ends with 0 only if every step held.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
own_python=${SFTOKEN_TEST_PYTHON:-}
needs=("curl curl" "python3 python3" "ensurepip python3-venv")
loader=integration@acme.example
nightly=nightly@acme.example
mailbox=ops
# shellcheck source=examples/lib/stage.sh
. "$root/examples/lib/stage.sh"
# shellcheck source=examples/lib/openbao.sh
. "$root/examples/lib/openbao.sh"
# shellcheck source=examples/lib/loop.sh
. "$root/examples/lib/loop.sh"

# As the command behind the stub's --on-reset: nothing to clean up.
if [ "${1:-}" = post ]; then
    trap - EXIT
    work=$2 lmtp=$3 token_mail=$4
    post
    exit
fi

# --- the steps --------------------------------------------------------------------------------

step "what this needs: Rust, Python, a mail server, a keyring"
command -v cargo >/dev/null || fail "cargo is not here: install Rust 1.95 or newer (https://rustup.rs)"
install_missing

step "building sftoken, and the examples that play Salesforce (the first time, this takes minutes)"
build stub_salesforce token_mail

step "a Python with simple-salesforce, keyring and OpenBao"
make_python
# What is on this machine is asked directly.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

began=$SECONDS
make_work loop

step "starting throw-away servers on loopback"
start_dovecot
say "Dovecot: IMAPS on port $imaps, delivery (LMTP) on port $lmtp"
start_keyring
say "a session bus with GNOME Keyring"
start_bao
say "OpenBao on port $bao_port, and a token for sftoken alone"
start_salesforce
say "Salesforce's log-in and its reset button: $salesforce"
start_receiver
say "the webhook's receiver: $receiver"

step "writing config.toml: two accounts, two stores each"
write_scripts
write_config
show "$work/config.toml"
mends

step "before: the consumer's token of today logs in"
logs_in "$work/first-token" || fail "the first token must log in"

step "sftoken wait: arms, presses the button, proves the mail, stores the token twice, logs in, tells"
ends 0 "armed:" "stored: $loader" -- waits "$loader"
[ "$(grep -c '^stored: .*, logs in)$' "$work/said")" = 2 ] || fail "there must be a receipt for each slot"
both_hold "$loader" "$(made "$loader")"
grep -qF "$loader $(made "$loader")" "$work/hook-log" || fail "the hook was not told"
grep -qF "stored $loader $(made "$loader")" "$work/webhook-log" || fail "the webhook was not told"
say "hook and webhook were told"

step "the consumer logs in with the new token: from the keyring by itself, and by sftoken run"
ends 0 "is logged in" -- in_session "$work/consumer" "$loader"
ends 0 -- sft run --preset simple-salesforce "$loader" -- "$python" "$work/log_in.py"

step "the old token is dead"
if logs_in "$work/first-token"; then fail "the first token must not log in any more"; fi
grep -o 'INVALID_LOGIN.*' "$work/log-in" | tail -n 1 | show

step "sftoken status, and the trail"
ends 0 "ok $loader" -- sft status
ends 0 armed stored verified hook_done webhook_done consumer_ok disarmed -- sft history "$loader"
ends 0 "whole" -- sft history --check
anchor=$(sed -n 's/.*head //p' "$work/said")
say "its head is written down elsewhere, as an anchor"

cp -r "$work/state" "$work/state-of-then"

good=$(made "$loader")

step "unhappy: a password in the configuration (2)"
sed 's/^auth = .*/auth = { password = "planted-word" }/' "$work/config.toml" >"$work/wrong.toml"
ends 2 "wrong.toml:5" -- sft wait --config "$work/wrong.toml" --account "$loader"
if grep -q planted "$work/said"; then fail "the password was shown"; fi

step "unhappy: the button does not work (its own status; curl's is 22)"
ends 22 "the reset command failed" "no token was waited for" -- sft wait --account "$loader" -- \
    curl --silent --fail --request POST "$salesforce/reset?username=nobody@acme.example"
both_hold "$loader" "$good"

step "unhappy: no mail comes (3)"
echo lost >"$work/post"
patience=2s
ends 3 "no token came within 2 s" "was the reset confirmed?" "API-only users" "login IP ranges" ".invalid" "Deliverability" "junk folder" "24 hours" -- waits "$loader"
both_hold "$loader" "$good"

step "unhappy: a forged mail, and nothing else (4)"
echo forged >"$work/post"
patience=3s
ends 4 "no token came within" "did not serve: dkim_fail_body" -- waits "$loader"
both_hold "$loader" "$good"

step "a forged mail first: the genuine one behind it is taken (0)"
echo forged-first >"$work/post"
patience=60s
ends 0 "stored:" -- waits "$loader"
both_hold "$loader" "$(made "$loader")"

step "an older genuine mail, an hour late, comes first: it does not end the wait (0), and changes nothing"
echo older-first >"$work/post"
ends 0 "stored:" -- waits "$loader"
both_hold "$loader" "$(made "$loader")"
deliver "$work/older.eml"
ends 0 -- sft watch --once
both_hold "$loader" "$(made "$loader")"
[ "$(recorded "$loader" superseded)" -ge 2 ] || fail "the trail must tell of the older mail"

step "unhappy: the mail's token does not log in, verify = \"after\" (7): stored and told, and no consumer is started"
echo another >"$work/post"
hooked=$(wc -l <"$work/hook-log")
ends 7 "does not log in" "Login History" -- waits "$loader"
both_hold "$loader" "$(printf NotTheTokenOfThisUser0123 | fingerprint)"
[ "$(wc -l <"$work/hook-log")" = "$hooked" ] || fail "the hook must not run"
ends 7 "$loader" -- sft status
mends
ends 0 "stored:" -- waits "$loader"
good=$(made "$loader")
both_hold "$loader" "$good"

step "unhappy: verify = \"before\", and the consumers' old token has locked the user out (7): the token before stays"
with=(SFTOKEN_ACCOUNT_0_VERIFY=before)
for _ in 1 2 3; do if logs_in "$work/first-token"; then fail "the first token is dead"; fi; done
ends 7 "does not log in" "it is not stored, and the one before stays" "Login History" -- waits "$loader"
both_hold "$loader" "$good"
ends 7 "$loader" -- sft status
say "the user is unlocked; sftoken verify --again"
order "unlock?username=$loader"
ends 0 -- sft verify "$loader" --again
both_hold "$loader" "$(made "$loader")"
ends 0 "ok $loader" -- sft status
mends

step "unhappy: the org has switched the log-in call off (7): stored, and nothing is known of it"
order 'fault?kind=login_disabled'
ends 7 "Enable SOAP API login()" -- waits "$loader" --json
grep -q '"verified":null' "$work/said" || fail "verified must be null"
both_hold "$loader" "$(made "$loader")"
mends

step "unhappy: Salesforce's log-in cannot be reached (1): that is not a bad token"
with=("SFTOKEN_ACCOUNT_0_LOGIN_URL=http://127.0.0.1:$(free_port)")
patience=3s
ends 1 "is stored, and could not be tried at a log-in" "nobody can be reached" -- waits "$loader"
if grep -q 'does not log in' "$work/said"; then fail "nobody has said that it does not log in"; fi
both_hold "$loader" "$(made "$loader")"
mends
say "when it is back, the next look tries the token"
ends 0 -- sft watch --once
ends 0 -- sft status

step "unhappy: Salesforce's answer is lost (1): not known, and not asked again, for it may have been counted"
order 'fault?kind=cut&times=1'
ends 1 "is not known to log in" -- waits "$loader" --json
grep -q '"verified":null' "$work/said" || fail "verified must be null"
both_hold "$loader" "$(made "$loader")"
ends 1 "$loader" -- sft status
say "a person may try it"
ends 0 "logs in" -- sft verify "$loader"
ends 0 -- sft status
mends

step "unhappy: OpenBao goes down behind the arming (6): the keyring is not held back"
good=$(in_vault "$loader")
# shellcheck disable=SC2016
ends 6 "in part only" "openbao://" -- sft wait --account "$loader" --timeout 4s -- \
    sh -c 'kill -KILL "$1" && curl --silent --fail --request POST "$2"' sh "$bao_pid" "$salesforce/reset?username=$loader"
wait "$bao_pid" 2>/dev/null || true
[ "$(in_keyring "$loader")" = "$(made "$loader")" ] || fail "the keyring must have the token"
ends 6 "failing openbao://" -- sft status
ends 6 -- sft wait --account "$loader" -- false
say "as long as it is down, nothing is reset; it comes back"
run_bao
unseal_bao
[ "$(in_vault "$loader")" = "$good" ] || fail "OpenBao must have kept the token before"
ends 0 "openbao://" -- sft watch --once
both_hold "$loader" "$(made "$loader")"
ends 0 -- sft status

step "unhappy: the hook fails (1): the token is stored all the same"
echo fail >"$work/hook-does"
ends 1 "the tokens are stored, and this failed: on_stored" "nightly-load.service not found" -- waits "$loader"
both_hold "$loader" "$(made "$loader")"
ends 1 "nightly-load.service not found" -- sft status
mends

step "two pipelines at once, two accounts, one mailbox (0 and 0)"
waits "$nightly" >"$work/said-nightly" 2>&1 &
other=$!
ends 0 "stored: $loader" -- waits "$loader"
status=0
wait "$other" || status=$?
mv "$work/said-nightly" "$work/said"
check_ended 0 "$status" "stored: $nightly"
both_hold "$loader" "$(made "$loader")"
both_hold "$nightly" "$(made "$nightly")"
[ "$(made "$loader")" != "$(made "$nightly")" ] || fail "these must be two tokens"

step "a daemon is killed while the hook runs, and started again: stored once, tried once, and the hook is done"
mkfifo "$work/daemon"
exec 5<>"$work/daemon" 6<>"$work/hook-began"
stores=$(recorded "$loader" stored) logins=$(recorded "$loader" verified) hooks=$(recorded "$loader" hook_done)
tries=$(attempts "$loader")
echo hang >"$work/hook-does"
start_daemon
order "reset?username=$loader"
read -r -t 30 -u 6 hook || fail "the hook does not run"
pids+=("$hook")
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
kill "$hook" 2>/dev/null || true
say "killed (-9) while the hook ran"
echo well >"$work/hook-does"
start_daemon
hears 'consumer nightly load'
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
[ "$status" = 143 ] || fail "a daemon that is told to end must end with 143, not $status"
both_hold "$loader" "$(made "$loader")"
stores=$(($(recorded "$loader" stored) - stores)) logins=$(($(recorded "$loader" verified) - logins))
hooks=$(($(recorded "$loader" hook_done) - hooks)) tries=$(($(attempts "$loader") - tries))
say "stored $stores times (two slots), tried $logins time, hook done $hooks time, log-ins at Salesforce $tries (one is the consumer's)"
[ "$stores $logins $hooks $tries" = "2 1 1 2" ] || fail "that must be 2, 1, 1 and 2"
ends 0 -- sft status

step "unhappy: the mailbox is down (5): nothing is reset"
kill "$dovecot"
wait "$dovecot" 2>/dev/null || true
good=$(made "$loader")
ends 5 "ops" "hint:" -- waits "$loader"
if grep -q armed "$work/said"; then fail "it must not say that it is armed"; fi
[ "$(made "$loader")" = "$good" ] || fail "the token was reset"

step "all of it stands in the trail, and nothing that is secret stands anywhere"
ends 0 "whole" -- sft history --check --anchor "$anchor"
if grep -rqF -f "$work/secrets" "$work/state" "$work/webhook-log" "$work/hook-log"; then fail "a secret was written"; fi
for event in refused superseded not_verified verification_unknown store_failed hook_failed; do
    [ "$(recorded "" "$event")" -ge 1 ] || fail "the trail does not tell of $event"
done

step "whoever changes the trail is found out (1)"
anchor=$(sed -n 's/.*head //p' "$work/said")
cp -r "$work/state" "$work/tampered"
"$python" - "$work/tampered/ledger.db" <<'PYTHON'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as ledger:
    changed = ledger.execute("UPDATE trail SET record = replace(record, 'refused', 'stored') WHERE event = 'refused'")
    assert changed.rowcount > 0
PYTHON
with=("SFTOKEN_STATE_DIR=$work/tampered")
ends 1 "the audit trail is not what was written" "was changed" -- sft history --check
say "an older copy in its place is whole; the anchor knows better"
with=("SFTOKEN_STATE_DIR=$work/state-of-then")
ends 0 "whole" -- sft history --check
ends 1 "hint:" -- sft history --check --anchor "$anchor"
with=()

echo "All of it held, in $((SECONDS - began)) s after the build."
