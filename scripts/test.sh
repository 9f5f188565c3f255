#!/usr/bin/env bash
# Everything a change must pass, in the order in which it fails fastest. The test runner's own lines come last.
set -euo pipefail

# shellcheck source=scripts/toolchain.sh
source "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
cd "$REPO"

# Runs a command under a heading and says how long it took.
step() {
    local started=$SECONDS
    printf '\n==> %s\n' "$*"
    "$@"
    printf '    %s s\n' $((SECONDS - started))
}

step scripts/setup.sh --host-only
step cargo fmt --all --check
step scripts/build.sh --check
step scripts/check-docs.sh
step cargo clippy --workspace --all-targets -- -D warnings
# Examples in documentation first: there are few, and a runner's closing line about none of them would say little.
step cargo test --workspace --doc
# The cheapest of the runs that need everything compiled.
step scripts/readme-numbers.sh --check
printf '\n==> cargo test --workspace --lib --bins --tests\n'
exec cargo test --workspace --lib --bins --tests
