#!/usr/bin/env bash
# Writes into fuzz/corpus what each target begins with, made from fixtures/: the tests that run the
# targets over these seeds write them as well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SFTOKEN_FUZZ_CORPUS="$PWD/fuzz/corpus" cargo test -q --all-features --locked --test it fuzz::
