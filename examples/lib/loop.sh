# The scene of close_the_loop.sh: Salesforce and its mail, what an admin configured, and how an end is checked.
# It knows who plays what, and what is looked for in stores, trail and words; never the order of events.
# Sourced, not run, behind openbao.sh, with `loader` and `nightly`, the two accounts.
# shellcheck shell=bash

# --- what a reset causes ----------------------------------------------------------------------

# A mail with a token to a user; TIME is its Date, if it is not of now.
write_mail() { printf %s "$1" | "$token_mail" "$2" ${3:+"$3"} >"$mail"; }

# A copy in which another token stands: its signature is worth nothing.
forge() { sed -i "s/$1/$2/" "$mail"; }

# Salesforce's stub hands over the new token, once the old one is dead. What the post makes of it
# is what the scene asks for.
post() {
    local token dead=NotTheTokenOfThisUser0123 mail=$work/mail-$STUB_USERNAME.eml
    token=$(cat)
    # whatever was a token is looked for in the end, in all that was written
    printf '%s\n' "$token" >>"$work/secrets"
    printf %s "$token" >"$work/token-$STUB_USERNAME"
    case $(cat "$work/post") in
        prompt) ;;
        lost) return ;;
        forged)
            write_mail "$token" "$STUB_USERNAME" && forge "$token" "$dead" && deliver "$mail"
            return
            ;;
        forged-first)
            write_mail "$token" "$STUB_USERNAME" && forge "$token" "$dead" && deliver "$mail"
            ;;
        older-first)
            write_mail "$dead" "$STUB_USERNAME" "$(date -u -d '-1 hour' +%FT%TZ)" && deliver "$mail"
            cp "$mail" "$work/older.eml"
            ;;
        another) token=$dead ;;
    esac
    write_mail "$token" "$STUB_USERNAME"
    deliver "$mail"
}

# --- the scene --------------------------------------------------------------------------------

start_salesforce() {
    local user users=()
    openssl rand -hex 12 >"$work/salesforce-password"
    openssl rand -hex 12 >"$work/first-token"
    cat "$work/salesforce-password" "$work/mailbox-password" "$work/first-token" >"$work/secrets"
    for user in "$loader" "$nightly"; do
        in_session secret-tool store --label="Salesforce password" service salesforce username "$user" \
            < <(tr -d '\n' <"$work/salesforce-password")
        users+=(--user "$user" "$work/salesforce-password")
    done
    # a user is locked out sooner than with Salesforce, where it is ten
    "$target/debug/examples/stub_salesforce" --port-file "$work/salesforce-port" "${users[@]}" \
        --token "$loader" "$work/first-token" --lock-out-after 3 \
        --on-reset "$root/examples/close_the_loop.sh" post "$work" "$lmtp" "$token_mail" </dev/null &
    pids+=("$!")
    await "the stub Salesforce does not start" test -s "$work/salesforce-port"
    salesforce=http://127.0.0.1:$(cat "$work/salesforce-port")
}

# A receiver of the webhook, which believes only what is signed.
start_receiver() {
    echo "whsec_$(openssl rand -base64 32)" >"$work/webhook-secret"
    "$python" "$root/examples/after/webhook_receiver.py" "$work/webhook-secret" </dev/null >"$work/webhook-log" 2>/dev/null &
    pids+=("$!")
    await "the webhook's receiver does not start" grep -qs listening "$work/webhook-log"
    receiver=$(sed -n 's/listening on //p' "$work/webhook-log")
}

# What the admin wrote: a hook, and a test of the consumer.
write_scripts() {
    mkfifo "$work/hook-began"
    cat >"$work/hook" <<HOOK
#!/bin/sh
case \$(cat "$work/hook-does") in
    well) echo "\$SFTOKEN_USERNAME \$SFTOKEN_FINGERPRINT" >>"$work/hook-log" ;;
    fail) echo "nightly-load.service not found" >&2; exit 5 ;;
    hang) echo \$\$ >"$work/hook-began"; exec sleep 300 ;;
esac
HOOK
    # simple-salesforce and Python's keyring: nothing of sftoken runs in it
    cat >"$work/consumer" <<CONSUMER
#!/bin/sh
export SF_LOGIN_URL=$salesforce PYTHON_KEYRING_BACKEND=keyring.backends.SecretService.Keyring
exec "$python" "$root/examples/consumers/simple_salesforce_login.py" "\${1:-\$SFTOKEN_USERNAME}"
CONSUMER
    cat >"$work/log_in.py" <<PYTHON
import os, sys
from simple_salesforce import SalesforceLogin
SalesforceLogin(username="$loader", password=open("$work/salesforce-password").read().strip(),
    security_token=open(sys.argv[1]).read().strip() if sys.argv[1:] else os.environ["SF_SECURITY_TOKEN"],
    scratch_url="$salesforce")
PYTHON
    chmod 700 "$work/hook" "$work/consumer"
}

write_config() {
    "$token_mail" --keys >"$work/dns.keys"
    cat >"$work/config.toml" <<CONFIG
state_dir = "state"

[mailbox.ops]
url = "imaps://$mailbox@127.0.0.1:$imaps"
auth = { password = "file:mailbox-password" }
ca_file = "dovecot/tls/ca.crt"

[dns]
keys = ["dns.keys"]     # in the place of the DNS, since Salesforce's key is not ours to sign with

[store.desktop]
url = "keyring://sftoken"

[store.vault]
url = "openbao://127.0.0.1:$bao_port/secret/salesforce/{username}?tls=0&token=file:$work/bao/token"

[notify]
webhook = "http://$receiver/"
webhook_secret = "file:webhook-secret"

[[account]]
username = "$loader"
store = ["desktop", "vault"]
verify = "after"
password = "keyring:salesforce/$loader"
login_url = "$salesforce"
on_stored = ["$work/hook"]

[[account.consumer]]
name = "nightly load"
test = ["$work/consumer"]

[[account]]
username = "$nightly"
store = ["desktop", "vault"]
verify = "after"
password = "keyring:salesforce/$nightly"
login_url = "$salesforce"
CONFIG
}

# --- what is asked, and what is found ---------------------------------------------------------

show() { sed 's/^/    | /' "$@"; }

sft() { in_session SFTOKEN_CONFIG="$work/config.toml" ${with[@]+"${with[@]}"} "$sftoken" "$@" </dev/null; }
with=()

# Runs a command that must end with STATUS and say each WORD: ends STATUS WORD… -- COMMAND…
ends() {
    local wanted=$1 status=0 words=()
    shift
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    "$@" >"$work/said" 2>&1 || status=$?
    check_ended "$wanted" "$status" ${words[@]+"${words[@]}"}
}

# What of it belongs to the story: the lines with these words, errors, and what to do; not the log.
told() {
    local word patterns=(-e '^error:' -e '^  hint:')
    for word in "$@"; do patterns+=(-e "$(printf %s "$word" | sed 's/[][\\.*^$]/\\&/g')"); done
    { grep "${patterns[@]}" "$work/said" || true; } | sed -E '/ (INFO|WARN|ERROR) +sftoken/d' | show
}

# The same of a command that has ended, and whose words are in the file `said`.
check_ended() {
    local wanted=$1 status=$2 word
    shift 2
    told "$@"
    if grep -qF -f "$work/secrets" "$work/said"; then fail "a secret was printed"; fi
    if [ "$status" != "$wanted" ]; then
        show "$work/said" >&2
        fail "exit status $status; $wanted was expected"
    fi
    for word in "$@"; do
        if ! grep -qF -e "$word" "$work/said"; then
            show "$work/said" >&2
            fail "it does not say \"$word\""
        fi
    done
    say "exit status $status"
}

# `wait` for an account, with its reset, no longer than `patience`: waits USERNAME [OPTION…]
waits() {
    local username=$1
    shift
    sft wait --account "$username" --timeout "$patience" "$@" -- \
        curl --silent --show-error --fail --request POST "$salesforce/reset?username=$username"
}

order() { curl --silent --show-error --fail --output /dev/null --request POST "$salesforce/$1"; }
attempts() { curl --silent --show-error --fail "$salesforce/attempts?username=$1"; }

# Fingerprints of what a consumer would read: in the keyring, in OpenBao, and of what Salesforce made last.
# That of nothing is none of theirs.
in_keyring() { { in_session secret-tool lookup service sftoken username "$1" || true; } | fingerprint; }
in_vault() { { bao kv get -field=token "secret/salesforce/$1" || true; } | fingerprint; }
made() { fingerprint <"$work/token-$1"; }

# Both stores hold this token of an account.
both_hold() {
    local keyring vault
    keyring=$(in_keyring "$1")
    vault=$(in_vault "$1")
    say "token in the keyring $keyring, in OpenBao $vault"
    [ "$keyring" = "$2" ] && [ "$vault" = "$2" ] || fail "both must hold $2"
}

# How often the trail has an event of an account's token.
recorded() { sft history ${1:+"$1"} --json | { grep -cF -e "\"event\":\"$2\"" || true; }; }

# Whether the log-in succeeds with a token from a file.
logs_in() { in_session "$python" "$work/log_in.py" "$1" >/dev/null 2>"$work/log-in"; }

# Every scene begins with a world in order.
mends() {
    echo prompt >"$work/post"
    echo well >"$work/hook-does"
    with=()
    patience=60s
    order 'fault?kind=none'
    order "unlock?username=$loader"
}

# Waits until the daemon says a word.
hears() {
    local line
    while IFS= read -r -t 30 -u 5 line; do
        case $line in *"$1"*) return ;; esac
    done
    fail "the daemon does not say $1"
}
# The daemon; it is heard on file descriptor 5.
start_daemon() {
    "${session[@]}" SFTOKEN_CONFIG="$work/config.toml" "$sftoken" watch --json </dev/null >"$work/daemon" 2>&1 &
    daemon=$!
    pids+=("$daemon")
    hears connected
}
