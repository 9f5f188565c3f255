#!/usr/bin/env bash
# A crash on a development chain, for bots to work on: money for two bidders, a lender, an indebted owner, a fall of the price, and
# blocks until a batch has been opened, filled, settled and claimed. Nobody but the bots opens, bids, settles or claims.
#
#   scripts/crash.sh [--url ws://127.0.0.1:9944] [--deployment deployments/teth-tusd.json]
#   scripts/crash.sh --prepare ...   only the money, the lender, the owner and the price before the fall
#
# //Alice lends and governs, //Bob owes, //Eve and //Charlie bid, //Alice and //Bob feed prices.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

url=ws://127.0.0.1:9944 deployment=deployments/teth-tusd.json prepare_only=false
while (($#)); do
    case $1 in
        --url) url=${2:?--url needs an address} && shift ;;
        --deployment) deployment=${2:?--deployment needs a file} && shift ;;
        --prepare) prepare_only=true ;;
        *)
            sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            [[ $1 == --help ]] && exit
            exit 2
            ;;
    esac
    shift
done
for program in "${CARGO_TARGET_DIR:-target}"/node-tests/{release,debug}/breakwaterctl missing; do
    [[ -x $program ]] && break
done
if [[ $program == missing ]]; then
    echo "crash.sh: build breakwaterctl first: cargo build --release --manifest-path node/Cargo.toml --target-dir target/node-tests -p breakwater-ctl" >&2
    exit 1
fi

# Runs a command of breakwaterctl on the market as an account and hides its answer.
as() {
    local who=$1
    shift
    "$program" "$@" --deployment "$deployment" --url "$url" --suri "$who" --json >/dev/null
}
price() {
    printf 'price %s\n' "$1"
    for _ in 1 2; do
        "$program" advance 1 --url "$url" >/dev/null
        as //Alice submit "$1"
        as //Bob submit "$1"
    done
}
field() {
    sed -nE "s/^ *\"$1\": \"?([^\",]*)\"?,?\$/\1/p"
}
look() {
    "$program" "$@" --deployment "$deployment" --url "$url" --json
}

if [[ $(look status | field batches_opened) != 0 ]]; then
    echo "crash.sh: this market has had its crash: begin with a new chain, see docs/operating.md" >&2
    exit 2
fi
if [[ $(look status | field lenders_assets) == 0 ]]; then
    price 200
    as //Alice mint quote 100000
    as //Alice supply 100000
    for bidder in //Eve //Charlie; do as "$bidder" mint quote 2000; done
    as //Bob mint collateral 10
    as //Bob deposit 10
    as //Bob borrow 1490
fi
$prepare_only && exit
"$program" advance 3 --url "$url" >/dev/null # for bots to see, and to deposit
price 172
for ((block = 0; block < 150; block++)); do
    "$program" advance 1 --url "$url" >/dev/null
    sleep 0.5 # what a chain with its own blocks leaves a bot, and more
    [[ $(look status | field batches_opened) == 0 ]] && continue
    stage=$(look batch 0 | field stage)
    printf 'batch 0: %s, %s %% filled\n' "$stage" "$(look batch 0 | field filled)"
    if [[ $stage == Settled ]]; then
        "$program" advance 3 --url "$url" >/dev/null # for claims
        look batch 0
        exit
    fi
done
echo "crash.sh: no batch was settled: do a keeper and two bidders run? See docs/operating.md" >&2
exit 1
