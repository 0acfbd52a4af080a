#!/usr/bin/env bash
# Runs every target for SECONDS each (default 60), one after the other; or only the TARGETs named.
#   fuzz/run.sh [SECONDS [TARGET…]]
# Stops at the first finding, whose input is in fuzz/artifacts. Sets itself up: cargo-fuzz is built
# into fuzz/tools if it is missing. On stable Rust there is no sanitizer; none is needed where there is
# no unsafe code.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- examine mail_text authres html imap_guard

export PATH="$PWD/tools/bin:$PATH"
if ! command -v cargo-fuzz >/dev/null; then
    cargo install -q cargo-fuzz --version 0.13.2 --locked --root tools
fi

dictionary() {
    case "$1" in
        html) echo dict/html.dict ;;
        authres) echo dict/authres.dict ;;
        imap_guard) echo dict/imap.dict ;;
        *) echo dict/mail.dict ;;
    esac
}

./seed.sh
for target in "$@"; do
    # cargo fuzz wants to be called where the main crate is or in here; both have one fuzz folder.
    cargo fuzz run --sanitizer none "$target" -- \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=512 -max_len=8192 \
        -dict="$(dictionary "$target")" -print_final_stats=1
done
