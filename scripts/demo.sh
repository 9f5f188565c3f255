#!/usr/bin/env bash
# Plays a liquidation from the fall of the price to the last claim, on a chain inside this process. Arguments go to `breakwater demo`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh --host-only
echo "building the demo: the first time takes many minutes, since a whole chain is compiled; after that it takes seconds"
# For the whole workspace and not for its one package: that would select other features of the dependencies, and the demo and the
# tests would each compile all of them.
cargo build --workspace --bin breakwater
exec "${CARGO_TARGET_DIR:-target}/debug/breakwater" demo "$@"
