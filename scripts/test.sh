#!/usr/bin/env bash
# Everything a change must pass, in the order in which it fails fastest. The test runner's own lines come last.
#
#   scripts/test.sh             everything
#   scripts/test.sh --no-node   everything that needs no contracts node
set -euo pipefail

# shellcheck source=scripts/toolchain.sh
source "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
cd "$REPO"

with_node=true
case "${1:-}" in
    '') ;;
    --no-node) with_node=false ;;
    *)
        sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

# Runs a command under a heading and says how long it took.
step() {
    local started=$SECONDS
    printf '\n==> %s\n' "$*"
    "$@"
    printf '    %s s\n' $((SECONDS - started))
}

# Without a node this fails here, with a line that says how to get one.
if $with_node; then
    CONTRACTS_NODE=$(scripts/node.sh --find) || {
        echo "test.sh: or leave the tests out that need it: scripts/test.sh --no-node" >&2
        exit 1
    }
    export CONTRACTS_NODE
fi

step scripts/setup.sh --host-only
step cargo fmt --all --check
step scripts/build.sh --check
step scripts/check-docs.sh
step scripts/book.sh --self-test
step scripts/book.sh --if-possible
step scripts/javascript.sh
step scripts/check-docs.sh --self-test
step scripts/mutants.sh --check
step scripts/licences.sh
step cargo clippy --workspace --all-targets -- -D warnings
# Examples in documentation first: there are few, and a runner's closing line about none of them would say little.
step cargo test --workspace --doc
# The cheapest of the runs that need everything compiled.
step scripts/readme-numbers.sh --check
# What talks to a node: a workspace of its own, see its manifest. ink_e2e compiles for long and needs a node all the same.
NODE=(--manifest-path node/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}/node-tests")
LIGHT=(-p breakwater-node -p breakwater-operator -p breakwater-ctl -p breakwater-node-tests)
step cargo fmt --manifest-path node/Cargo.toml --all --check
step cargo clippy "${NODE[@]}" "${LIGHT[@]}" --all-targets -- -D warnings
if $with_node; then
    step cargo test "${NODE[@]}" "${LIGHT[@]}"
    step cargo test "${NODE[@]}" -p breakwater-ink-e2e-tests
else
    step cargo test "${NODE[@]}" "${LIGHT[@]}" --lib
fi
step scripts/live.sh --if-built
step scripts/check-docs.sh --run
# Three of the faults that others paid for: does a test notice?
step scripts/mutants.sh 02 29 36
# Random histories of the whole protocol, a fourth of them beside the slow model: five minutes on two processors. BREAKWATER_TRANSITIONS=n lives so many instead.
step env BREAKWATER_TRANSITIONS="${BREAKWATER_TRANSITIONS:-39000000}" cargo test --workspace --test histories -- --ignored --nocapture
printf '\n==> cargo test --workspace --lib --bins --tests\n'
exec cargo test --workspace --lib --bins --tests
