#!/usr/bin/env bash
# Builds the contracts in release mode and keeps their bundles in artifacts/.
#
#   scripts/build.sh            build every contract
#   scripts/build.sh NAME...    build some of them
#   scripts/build.sh --check    build nothing: are the bundles those of the present sources, and small enough?
#   scripts/build.sh --u64 ...  the same for chains whose native balances have 64 bits, in target/artifacts-u64/
#
# artifacts/SOURCE_HASH says which sources the bundles are of. It is written once all of them are of the same sources.
set -euo pipefail

# shellcheck source=scripts/toolchain.sh
source "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
cd "$REPO"
export LC_ALL=C

# The largest code pallet-contracts takes.
MAX_CODE_BYTES=$((123 * 1024))

# Where the bundles go, and what they are built with.
ARTIFACTS=artifacts
FEATURES=()
VARIANT=

BUILDS=target/contracts
LOGS=target/build-logs

fail() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

contracts() {
    local manifest
    for manifest in contracts/*/Cargo.toml; do
        basename "$(dirname "$manifest")"
    done
}

# One hash over everything a bundle is made from: the contracts, the crates they use, the lock file, the tools' versions.
# Tests, benches and examples do not enter the bundles. Carriage returns are left out so that every checkout gives the same hash.
source_hash() {
    local file
    {
        printf 'rust %s\ncargo-contract %s\n' "$CONTRACT_RUST" "$CARGO_CONTRACT_VERSION"
        find contracts crates/core crates/interfaces crates/rlibc Cargo.lock -type f \
            \( -name '*.rs' -o -name Cargo.toml -o -name Cargo.lock \) \
            -not -path '*/target/*' -not -name tests.rs -not -path '*/tests/*' -not -path '*/benches/*' -not -path '*/examples/*' \
            | sort | while IFS= read -r file; do
                printf '%s  %s\n' "$(tr -d '\r' <"$file" | sha256sum | cut -d ' ' -f 1)" "$file"
            done
    } | sha256sum | cut -d ' ' -f 1
}

# The size of the code in the bundle of contract $1, which holds it in hexadecimal.
code_bytes() {
    local digits
    digits=$(grep -o '"wasm": *"0x[0-9a-f]*"' "$ARTIFACTS/$1.contract" | sed 's/.*"0x//; s/"$//' | tr -d '\n' | wc -c)
    ((digits > 0)) || fail "$ARTIFACTS/$1.contract holds no code: run scripts/build.sh"
    echo $((digits / 2))
}

# Prints the size of every bundle; fails if one is too large for a chain.
print_sizes() {
    local name bytes too_large=()
    printf '%-24s %10s %9s %13s\n' contract bytes KiB 'of 123 KiB'
    for name in $(contracts); do
        [[ -f $ARTIFACTS/$name.contract ]] || continue
        bytes=$(code_bytes "$name")
        awk -v name="$name" -v bytes="$bytes" -v max="$MAX_CODE_BYTES" \
            'BEGIN { printf "%-24s %10d %9.1f %12.1f%%\n", name, bytes, bytes / 1024, 100 * bytes / max }'
        if ((bytes > MAX_CODE_BYTES)); then
            too_large+=("$name")
        fi
    done
    ((${#too_large[@]} == 0)) || fail "larger than $MAX_CODE_BYTES bytes: ${too_large[*]}"
}

check() {
    local name bundle
    for name in $(contracts); do
        [[ -f $ARTIFACTS/$name.contract ]] || fail "$ARTIFACTS/$name.contract is missing: run scripts/build.sh"
    done
    for bundle in "$ARTIFACTS"/*.contract; do
        name=$(basename "$bundle" .contract)
        [[ -f contracts/$name/Cargo.toml ]] || fail "$bundle is of no contract: delete it"
    done
    [[ $(cat "$ARTIFACTS/SOURCE_HASH" 2>/dev/null) == "$(source_hash)" ]] \
        || fail "the bundles are older than their sources: run scripts/build.sh"
    print_sizes
}

# Builds contract $1 and copies its bundle to artifacts/. Notes the hash of the sources it was built from.
build() {
    local name=$1 log=$LOGS/$1.log hash started=$SECONDS
    hash=$(source_hash)
    printf 'building %s (log: %s) ... ' "$name" "$log"
    # All contracts share one build directory: else each would compile the standard library and ink! anew.
    ln -sfn shared "$BUILDS/ink/$name"
    # cargo-contract keeps the metadata while the code stays the same, even if the documentation in it has changed.
    rm -f "$BUILDS/ink/shared/$name".{wasm,json,contract}
    # Compiled for size: most code runs once in a call and is charged by its length.
    # Without backtraces the compiler's error is what stands at the end of the log.
    if ! RUST_BACKTRACE=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=z "$CARGO_CONTRACT" contract build --release "${FEATURES[@]}" --manifest-path "contracts/$name/Cargo.toml" >"$log" 2>&1; then
        echo "failed after $((SECONDS - started)) s"
        tail -n 30 "$log" | sed $'s/\x1b\\[[0-9;]*m//g' >&2
        fail "$name does not build"
    fi
    cp "$BUILDS/ink/shared/$name.contract" "$ARTIFACTS/$name.contract"
    printf '%s\n' "$hash" >"$BUILDS/$name$VARIANT.source-hash"
    echo "$((SECONDS - started)) s"
}

# Writes SOURCE_HASH if every contract was built from the sources as they are now.
update_source_hash() {
    local name hash
    hash=$(source_hash)
    for name in $(contracts); do
        if [[ $(cat "$BUILDS/$name$VARIANT.source-hash" 2>/dev/null) != "$hash" ]]; then
            echo "$ARTIFACTS/SOURCE_HASH stays as it is: $name was not built from the present sources"
            return
        fi
    done
    printf '%s\n' "$hash" >"$ARTIFACTS/SOURCE_HASH"
}

if [[ ${1:-} == --u64 ]]; then
    ARTIFACTS=target/artifacts-u64
    FEATURES=(--features balance-u64)
    VARIANT=.u64
    shift
fi
case "${1:-}" in
    --check)
        check
        exit
        ;;
    -*)
        sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

names=("$@")
if ((${#names[@]} == 0)); then
    mapfile -t names < <(contracts)
fi
for name in "${names[@]}"; do
    [[ -f contracts/$name/Cargo.toml ]] || fail "there is no contract named $name"
done

use_contract_toolchain
CARGO_CONTRACT=$(find_cargo_contract) || fail "cargo-contract $CARGO_CONTRACT_VERSION is missing: run scripts/setup.sh"
export CARGO="$REPO/scripts/cargo-for-contracts"
# Apart from the host's builds: neither waits for the other's lock.
export CARGO_TARGET_DIR="$REPO/$BUILDS"
mkdir -p "$ARTIFACTS" "$LOGS" "$BUILDS/ink/shared"

for name in "${names[@]}"; do
    build "$name"
done
update_source_hash
print_sizes
