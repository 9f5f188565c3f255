#!/usr/bin/env bash
# Plays a liquidation from the fall of the price to the last claim, on a chain inside this process. Arguments go to `breakwater demo`:
#
#   --prices FILE.csv, --from TIME, --to TIME   your own candles, or a part of them
#   --positions N, --seed N                     how many positions, and which run
#   --report PATH, --json, --quiet              where the report goes, and what is printed
#   --events FILE.jsonl, --check                what the contracts emit, and the books rebuilt from it
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Who only asks does not wait for a whole chain to be compiled.
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
    sed -n '2,7s/^# \{0,1\}//p' scripts/demo.sh
    exit
fi
scripts/setup.sh --host-only
echo "building the demo: the first time takes many minutes, since a whole chain is compiled; after that it takes seconds"
# For the whole workspace and not for its one package: that would select other features of the dependencies, and the demo and the
# tests would each compile all of them.
cargo build --workspace --bin breakwater
exec "${CARGO_TARGET_DIR:-target}/debug/breakwater" demo "$@"
