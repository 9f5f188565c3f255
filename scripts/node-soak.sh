#!/usr/bin/env bash
# Runs the tests on a node again and again and writes a table: which run, how long, how many tests, what failed.
#
#   scripts/node-soak.sh [RUNS]   20 runs unless told otherwise; the table goes to target/node-soak.md as it grows
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-20}
if ! [[ $runs =~ ^[1-9][0-9]*$ ]]; then
    sed -n '2,4s/^# \{0,1\}//p' "$0"
    [[ $runs == --help ]] && exit
    exit 2
fi
CONTRACTS_NODE=$(scripts/node.sh --find)
export CONTRACTS_NODE

suite=(cargo test --manifest-path node/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}/node-tests"
    -p breakwater-node -p breakwater-operator -p breakwater-ctl -p breakwater-node-tests)
"${suite[@]}" --no-run
table=target/node-soak.md
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '| run | begun (UTC) | seconds | tests | failed |\n|---|---|---|---|---|\n' >"$table"
flakes=0
for ((run = 1; run <= runs; run++)); do
    begun=$(date -u '+%Y-%m-%d %H:%M') started=$SECONDS
    "${suite[@]}" --no-fail-fast >"$log" 2>&1 || true
    passed=$(grep -cE '^test .*ok$' "$log" || true)
    failed=$(sed -nE 's/^test ([a-zA-Z0-9_:]+) \.\.\. .*FAILED$/\1/p; s/^    ([a-z_0-9:]+)$/\1/p' "$log" | sort -u | paste -sd ' ')
    if ((passed == 0)) || { [[ -z $failed ]] && ! grep -q '^test result: ok' "$log"; }; then
        failed=${failed:-'the suite did not run'}
    fi
    if [[ -n $failed ]]; then
        flakes=$((flakes + 1))
        cp "$log" "target/node-soak-$run.log"
    fi
    printf '| %s | %s | %s | %s | %s |\n' "$run" "$begun" $((SECONDS - started)) "$passed" "${failed:-none}" | tee -a "$table"
done
echo "$runs runs, $flakes with a failure: $table" >&2
((flakes == 0))
