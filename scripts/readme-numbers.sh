#!/usr/bin/env bash
# Writes the numbers in docs/costs.md anew, from the contract bundles in artifacts/. Without an option, the block that takes half a minute;
# with --full, every block (a quarter of an hour); with --check, nothing: it fails if that first block is not current.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
document=docs/costs.md

case ${1-} in
    '' | --check | --full) ;;
    *)
        sed -n '2,3s/^# \{0,1\}//p' scripts/readme-numbers.sh
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

# For the whole workspace, so that tests and this program share what is compiled.
cargo build --workspace --bin breakwater
gas() {
    "${CARGO_TARGET_DIR:-target}/debug/breakwater" bench gas "$@" "$document"
}

case ${1-} in
    '') gas --quick --write ;;
    --check) gas --quick --check ;;
    --full)
        gas --quick --write
        gas --only ticks --write
        gas --only slopes --write
        gas --only positions --most-positions 100000 --write
        ;;
esac
