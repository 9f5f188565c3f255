#!/usr/bin/env bash
# Starts a development chain of its own and prints its address once it answers.
#
#   scripts/node.sh [--port N] [--tmp | --base-path DIR] [--leash]
#                                                  run until interrupted; without --tmp the chain is kept, in target/node
#                                                  or DIR, and goes on where it ended
#   scripts/node.sh --find                         print the node's path and start nothing; fetches it if there is none
#
# With --leash the node also ends when standard input is closed, so that it never outlives the program that started it.
# The node is the one $CONTRACTS_NODE names, on PATH, in ../shared/bin, or fetched before; else the release is downloaded.
# Without --port a free one is taken. Only the line with the address goes to stdout: ws://127.0.0.1:PORT
set -euo pipefail

NODE_VERSION=0.42.0
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/breakwater/node-$NODE_VERSION
RELEASE=https://github.com/paritytech/substrate-contracts-node/releases/download/v$NODE_VERSION
# What a build of the node on a recent Rust needs; about 80 minutes on two cores.
BUILD="WASM_BUILD_RUSTFLAGS=-Clink-arg=--allow-undefined SKIP_ROCOCO_RUNTIME_WASM_BUILD=1 SKIP_CONTRACTS_PARACHAIN_RUNTIME_WASM_BUILD=1 cargo install contracts-node --version $NODE_VERSION"
# The first answer takes about 15 s on an idle machine.
PATIENCE=300

fail() {
    printf 'node.sh: %s\n' "$*" >&2
    exit 1
}

# Whether $1 is a node of the right version.
is_node() {
    [[ -n $1 && -x $1 && $("$1" --version 2>/dev/null) == *" $NODE_VERSION"* ]]
}

# Downloads the release for this machine into the cache; fails quietly where there is none.
download() {
    local archive
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) archive=substrate-contracts-node-linux.tar.gz ;;
        Darwin-*) archive=substrate-contracts-node-mac-universal.tar.gz ;;
        *) return 1 ;;
    esac
    command -v curl >/dev/null || return 1
    echo "node.sh: downloading $RELEASE/$archive (once)" >&2
    local unpacked
    unpacked=$(mktemp -d) || return 1
    if curl --proto '=https' --tlsv1.2 -fsSL --connect-timeout 15 "$RELEASE/$archive" | tar -xz -C "$unpacked" 2>/dev/null; then
        mkdir -p "$CACHE"
        find "$unpacked" -type f -name substrate-contracts-node -exec install -m 755 {} "$CACHE/substrate-contracts-node" \;
    fi
    rm -rf "$unpacked"
    [[ -x $CACHE/substrate-contracts-node ]]
}

find_node() {
    local candidate
    if [[ -n ${CONTRACTS_NODE:-} ]]; then
        candidate=$(command -v "$CONTRACTS_NODE" || true)
        is_node "$candidate" || fail "CONTRACTS_NODE=$CONTRACTS_NODE is no substrate-contracts-node $NODE_VERSION: correct or unset it"
        printf '%s\n' "$candidate"
        return
    fi
    for candidate in \
        "$(command -v substrate-contracts-node || true)" \
        "$REPO/../shared/bin/substrate-contracts-node" \
        "$CACHE/substrate-contracts-node"; do
        if is_node "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    if download && is_node "$CACHE/substrate-contracts-node"; then
        printf '%s\n' "$CACHE/substrate-contracts-node"
        return
    fi
    fail "no substrate-contracts-node $NODE_VERSION: put one on PATH, name it in CONTRACTS_NODE, or build it: $BUILD"
}

port=0 tmp=false leash=false base=$REPO/target/node
while (($#)); do
    case $1 in
        --port)
            [[ ${2:-} =~ ^[0-9]+$ ]] || fail "--port needs a number"
            port=$2
            shift
            ;;
        --tmp) tmp=true ;;
        --base-path)
            [[ -n ${2:-} ]] || fail "--base-path needs a directory"
            base=$2
            shift
            ;;
        --leash) leash=true ;;
        --find)
            find_node
            exit
            ;;
        *)
            sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            [[ $1 == --help ]] && exit
            exit 2
            ;;
    esac
    shift
done

node=$(find_node)
state=$(mktemp -d)
log=$state/node.log
arguments=(--dev --no-telemetry --no-prometheus --port 0 --rpc-port "$port" --rpc-max-connections 1000)
if $tmp; then
    arguments+=(--tmp)
else
    mkdir -p "$base"
    arguments+=(--base-path "$base")
fi
: >"$log" # read below, perhaps before the node has begun
"$node" "${arguments[@]}" >"$log" 2>&1 </dev/null &
pid=$!
if $leash; then
    exec 3<&0
    { cat <&3 >/dev/null; kill -TERM $$; } 2>/dev/null &
    watcher=$!
fi
stop() {
    kill "$pid" ${watcher:-} 2>/dev/null || true
    # A node that is just starting may not hear that it is to end.
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    rm -rf "$state"
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

# The node says in its log which port it took.
address=
for ((waited = 0; waited < PATIENCE * 5; waited++)); do
    if ! kill -0 "$pid" 2>/dev/null; then
        tail -n 5 "$log" >&2
        fail "the node ended: is another one using this port or $base? Try --tmp and no --port"
    fi
    address=$(sed -n 's/.*Running JSON-RPC server: addr=\(127\.0\.0\.1:[0-9]*\).*/\1/p' "$log" | head -n 1)
    [[ -n $address ]] && break
    sleep 0.2
done
[[ -n $address ]] || fail "the node does not answer after $PATIENCE s; its log ends with: $(tail -n 1 "$log")"
printf 'ws://%s\n' "$address"
wait "$pid"
