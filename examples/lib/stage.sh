# What the scripts beside this folder share: a stage of throw-away servers on loopback, and its end.
# It knows packages, a mail server, a keyring, and how a mail is delivered; never what is shown on it.
# Sourced, not run: by a script that has set `root`, `needs` ("COMMAND-OR-FILE PACKAGE" each), `mailbox`.
# shellcheck shell=bash

# Servers live in folders that an ordinary user's PATH may lack.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# What your own sftoken is told by the environment does not count here.
unset "${!SFTOKEN_@}"

# What the stage itself needs.
needs+=(
    "dovecot dovecot-imapd"
    "/usr/lib/dovecot/imap dovecot-imapd"
    "/usr/lib/dovecot/lmtp dovecot-lmtpd"
    "gnome-keyring-daemon gnome-keyring"
    "secret-tool libsecret-tools"
    "dbus-daemon dbus"
    "dbus-send dbus"
    "openssl openssl"
    "/usr/include/openssl/ssl.h libssl-dev"
    "pkg-config pkg-config"
    "gcc gcc"
    "/usr/include/stdlib.h libc6-dev"
    "/etc/ssl/certs/ca-certificates.crt ca-certificates"
)

number=0
now=preparing
step() {
    number=$((number + 1))
    now=$*
    printf '%2d. %s\n' "$number" "$*"
}

say() { printf '    %s\n' "$*"; }

told=
fail() {
    told=yes
    printf 'FAILED at "%s": %s\n' "$now" "$*" >&2
    exit 1
}

# --- what is started here ends here -----------------------------------------------------------

policy=/usr/sbin/policy-rc.d
own_policy=
work=
pids=()

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

allow_services() {
    if [ -n "$own_policy" ]; then as_root rm -f "$policy"; fi
    own_policy=
}

cleanup() {
    local status=$? pid
    trap - EXIT
    trap '' HUP INT TERM
    allow_services || true
    for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
    for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
    if [ -n "$work" ]; then
        if [ "$status" != 0 ] && [ -s "$work/dovecot/log" ]; then
            echo "the mail server's last words:" >&2
            tail -n 5 "$work/dovecot/log" >&2
        fi
        rm -rf "$work"
    fi
    if [ "$status" != 0 ] && [ -z "$told" ]; then echo "FAILED at \"$now\" (status $status)" >&2; fi
    exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- packages ---------------------------------------------------------------------------------

missing() {
    local need
    for need in "${needs[@]}"; do
        case "$need" in
            /*) [ -e "${need%% *}" ] || echo "${need##* }" ;;
            ensurepip*) python3 -c 'import ensurepip, venv' 2>/dev/null || echo "${need##* }" ;;
            *) command -v "${need%% *}" >/dev/null || echo "${need##* }" ;;
        esac
    done | sort -u
}

install_missing() {
    local packages
    mapfile -t packages < <(missing)
    if [ "${#packages[@]}" = 0 ]; then
        say "nothing is missing"
        return
    fi
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
        fail "missing: ${packages[*]}; install them (apt-get install ${packages[*]}), or run this as root or with sudo"
    fi
    say "installing ${packages[*]}"
    # Packages start their servers when they are installed; a policy says no, for that while only
    # (invoke-rc.d(8): 101 forbids). One that exists already is left alone.
    if [ ! -e "$policy" ]; then
        own_policy=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root apt-get -qq update </dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
        "${packages[@]}" </dev/null >/dev/null
    allow_services
    mapfile -t packages < <(missing)
    if [ "${#packages[@]}" != 0 ]; then fail "still missing after the installation: ${packages[*]}"; fi
}

# --- the programs -----------------------------------------------------------------------------

# Builds sftoken, and these examples; leaves where they are in `target`. What was built with other features
# already (STAGE_FEATURES, for the tests) need not be built again.
build() {
    local quiet=--quiet examples=() example
    if [ -t 2 ]; then quiet=; fi
    for example in "$@"; do examples+=(--example "$example"); done
    (cd "$root" && cargo build --locked $quiet "${STAGE_FEATURES:---features=testing}" --bin sftoken "${examples[@]}" </dev/null)
    target=$(cd "$root" && cargo metadata --locked --offline --no-deps --format-version 1 |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    sftoken=$target/debug/sftoken
    token_mail=$target/debug/examples/token_mail
}

# A folder for all of it, with what only its owner may read.
make_work() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/sftoken-$1-XXXXXX")
    # Dovecot's own users pass through; what is private below is private by itself.
    chmod 711 "$work"
    umask 077
    openssl rand -hex 12 >"$work/mailbox-password"
}

# --- the mail server --------------------------------------------------------------------------

# An authority of our own, and its certificate for this machine alone.
make_certificates() (
    cd "$work/dovecot/tls"
    key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' 'basicConstraints=CA:FALSE' \
        'extendedKeyUsage=serverAuth' >extensions
    {
        openssl req -x509 "${key[@]}" -days 2 -keyout ca.key -out ca.crt -subj /CN=sftoken-try \
            -addext keyUsage=critical,keyCertSign,cRLSign
        openssl req "${key[@]}" -keyout server.key -out server.csr -subj /CN=localhost
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
            -extfile extensions -out server.crt
    } 2>openssl.log || { cat openssl.log >&2; exit 1; }
)

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Until a command succeeds, 20 s at most, for servers that tell nobody when they are ready.
await() {
    local end=$((SECONDS + 20)) what=$1
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "$what"
        sleep 0.05
    done
}

# Below the range that the kernel gives to clients.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! is_open "$port"; then
            echo "$port"
            return
        fi
    done
}

dovecot_config() {
    local dir=$work/dovecot uid=$1 gid=$1 password version
    password=$(cat "$work/mailbox-password")
    version=$(dovecot --version)
    case "$version" in
        2.3.*)
            cat <<CONFIG
protocols = imap lmtp
ssl_cert = <$dir/tls/server.crt
ssl_key = <$dir/tls/server.key
disable_plaintext_auth = yes
auth_username_format = %Ln
mail_location = maildir:$dir/mail/%u
passdb {
  driver = static
  args = password={PLAIN}$password
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$dir/mail/%u
}
CONFIG
            ;;
        2.4.*)
            cat <<CONFIG
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap lmtp
ssl_server_cert_file = $dir/tls/server.crt
ssl_server_key_file = $dir/tls/server.key
auth_allow_cleartext = no
auth_username_format = %{user | username | lower}
mail_driver = maildir
mail_path = $dir/mail/%{user}
passdb static {
  password = {PLAIN}$password
}
userdb static {
  fields {
    uid = $uid
    gid = $gid
    home = $dir/mail/%{user}
  }
}
CONFIG
            ;;
        *) fail "Dovecot $version may have another configuration syntax; this script knows 2.3 and 2.4" ;;
    esac
    cat <<CONFIG
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/log
listen = 127.0.0.1
ssl = yes
mail_uid = $uid
mail_gid = $gid
first_valid_uid = $uid
first_valid_gid = 1
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $imaps
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    port = $lmtp
  }
}
CONFIG
    # Without root, everything runs as the one who started it, and nothing is locked into a folder.
    if [ "$(id -u)" != 0 ]; then
        cat <<CONFIG
default_internal_user = $(id -un)
default_internal_group = $(id -gn)
default_login_user = $(id -un)
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
CONFIG
    fi
}

start_dovecot() {
    local owner=5000 tries end
    # Dovecot's own users must pass through; make_work has seen to what is private.
    umask 022
    [ "$(id -u)" = 0 ] || owner=$(id -u)
    mkdir -p "$work"/dovecot/{run,state,mail,tls}
    if [ "$(id -u)" = 0 ]; then chown "$owner:$owner" "$work/dovecot/mail"; fi
    make_certificates
    for tries in 1 2 3; do
        imaps=$(free_port)
        lmtp=$(free_port)
        dovecot_config "$owner" >"$work/dovecot/dovecot.conf"
        dovecot -F -c "$work/dovecot/dovecot.conf" </dev/null >>"$work/dovecot/log" 2>&1 &
        dovecot=$!
        pids+=("$dovecot")
        end=$((SECONDS + 20))
        while kill -0 "$dovecot" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
            if is_open "$imaps" && is_open "$lmtp"; then
                umask 077
                return
            fi
            sleep 0.05
        done
        # Somebody else may have taken a port meanwhile.
        kill "$dovecot" 2>/dev/null || true
        wait "$dovecot" 2>/dev/null || true
    done
    fail "Dovecot does not start ($tries tries)"
}

# --- the keyring ------------------------------------------------------------------------------

# Runs a program that sees our bus and our home, and no screen.
in_session() { "${session[@]}" "$@"; }

start_keyring() {
    mkdir -m 700 -p "$work/home" "$work/home/run"
    # Nothing but what is started here is on this bus.
    cat >"$work/bus.conf" <<CONFIG
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=$work/home/run</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
CONFIG
    dbus-daemon --nofork --nopidfile --print-address=1 "--config-file=$work/bus.conf" \
        </dev/null >"$work/bus" 2>/dev/null &
    pids+=("$!")
    await "the session bus does not start" test -s "$work/bus"
    session=(env -u DISPLAY -u WAYLAND_DISPLAY HOME="$work/home" XDG_RUNTIME_DIR="$work/home/run"
        XDG_DATA_HOME="$work/home/data" XDG_CACHE_HOME="$work/home/cache"
        XDG_CONFIG_HOME="$work/home/config" XDG_STATE_HOME="$work/home/state"
        DBUS_SESSION_BUS_ADDRESS="$(cat "$work/bus")")
    # An unlocked collection needs a password; nobody will need it again.
    openssl rand -hex 16 >"$work/home/keyring-password"
    "${session[@]}" gnome-keyring-daemon --foreground --unlock --components=secrets \
        <"$work/home/keyring-password" >/dev/null 2>&1 &
    pids+=("$!")
    await "the keyring does not start" has_keyring
}

has_keyring() {
    in_session dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets 2>/dev/null | grep -q true
}

# --- Salesforce's part ------------------------------------------------------------------------

expect() {
    local reply
    while IFS= read -r -t 20 -u 4 reply; do
        case "$reply" in
            [23]??-*) ;;
            [23]*) return 0 ;;
            *) echo "the mail server said: $reply" >&2; return 1 ;;
        esac
    done
    echo "the mail server is silent" >&2
    return 1
}

# Delivers a mail from a file to the mailbox (by LMTP), as the last hop of its way does.
deliver() {
    exec 4<>"/dev/tcp/127.0.0.1/$lmtp"
    expect
    printf 'LHLO salesforce.example\r\n' >&4 && expect
    printf 'MAIL FROM:<bounces@salesforce.example>\r\n' >&4 && expect
    printf 'RCPT TO:<%s@mail.example>\r\n' "$mailbox" >&4 && expect
    printf 'DATA\r\n' >&4 && expect
    sed 's/^\./../' "$1" >&4
    printf '.\r\n' >&4 && expect
    printf 'QUIT\r\n' >&4
    exec 4>&-
}

# The same as sftoken's: the first 16 hex digits of SHA-256. A token is not shown, not even this one.
fingerprint() { tr -d '\n' | sha256sum | cut -c1-16; }
