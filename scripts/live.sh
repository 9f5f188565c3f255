#!/usr/bin/env bash
# Runs the tests of the contracts on a runtime with the limits of live chains: native balances of 64 bits, five frames, code up to
# 123 KiB, a parachain's block, stable host functions only. The contracts are built for that in target/artifacts-u64/.
#
#   scripts/live.sh              builds them if their sources have changed, and runs every test of tests/embedded
#   scripts/live.sh --if-built   runs the core stories if they are built; builds nothing
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# From the first deposit to the last claim, with standing bids, a stopped market and one that is wound down.
CORE=(live_chains story standing way_out wind_down)

case "${1:-}" in
    '')
        scripts/build.sh --u64 --check >/dev/null 2>&1 || scripts/build.sh --u64
        mapfile -t names < <(ls tests/embedded/tests | sed 's/\.rs$//')
        ;;
    --if-built)
        if ! scripts/build.sh --u64 --check >/dev/null 2>&1; then
            echo "the limits of live chains were not tested: scripts/live.sh builds the contracts for them and tests all"
            exit
        fi
        names=("${CORE[@]}")
        ;;
    *)
        sed -n '2,6s/^# \{0,1\}//p' "scripts/$(basename "${BASH_SOURCE[0]}")"
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

export BREAKWATER_PROFILE=live BREAKWATER_ARTIFACTS=$PWD/target/artifacts-u64
# By their names and for the whole workspace: these are then the very programs that scripts/test.sh compiles.
exec cargo test --workspace --no-fail-fast "${names[@]/#/--test=}"
