#!/usr/bin/env bash
# Fuzzes the rules, guided by coverage. Needs a nightly compiler; installs cargo-fuzz if it is missing.
#
#   scripts/fuzz.sh                    every target for five minutes
#   scripts/fuzz.sh SECONDS [NAME...]  some of them, for so long each
#   scripts/fuzz.sh --keep [NAME...]   brings what was found into fuzz/seeds: the smallest inputs that reach as much, 24 KiB a target at most
#                                      inputs with a name of their own stay
#
# What is found grows in fuzz/corpus, which is not kept; fuzz/seeds is, and the test suite replays it. An input that fails is in
# fuzz/artifacts/NAME: put it into fuzz/seeds/NAME once the fault is mended.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Older than this does not know the manifest's keys.
CARGO_FUZZ_VERSION=0.13.2
# No input is longer: it is what the largest cell encodes to, and more acts than a history takes.
MOST_BYTES=4096
KEPT_BYTES=$((24 * 1024))

fail() {
    printf 'fuzz.sh: %s\n' "$*" >&2
    exit 1
}

seconds=300 keep=false
case "${1:-}" in
    --keep)
        keep=true
        shift
        ;;
    --help)
        sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit
        ;;
    [0-9]*)
        seconds=$1
        shift
        ;;
    -*) fail "unknown option $1" ;;
esac
targets=("$@")
if ((${#targets[@]} == 0)); then
    for file in fuzz/fuzz_targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi

rustc +nightly --version >/dev/null 2>&1 || fail "no nightly compiler: rustup toolchain install nightly --profile minimal"
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "fuzz.sh: installing cargo-fuzz $CARGO_FUZZ_VERSION" >&2
    cargo install cargo-fuzz --version "$CARGO_FUZZ_VERSION" --locked
fi
# The rules have no unsafe code that a sanitiser would watch: without one it runs twice as fast. FUZZ_SANITIZER=address for one.
sanitizer=${FUZZ_SANITIZER:-none}

for target in "${targets[@]}"; do
    [[ -f fuzz/fuzz_targets/$target.rs ]] || fail "there is no target $target"
    mkdir -p "fuzz/corpus/$target" "fuzz/seeds/$target"
    if $keep; then
        smallest=$(mktemp -d)
        cargo +nightly fuzz run --sanitizer "$sanitizer" "$target" "$smallest" "fuzz/seeds/$target" "fuzz/corpus/$target" -- \
            -merge=1 -max_len="$MOST_BYTES"
        # What has a name of its own stays: a fault that was mended, a cell of a real history. What a merge finds is named by its hash.
        find "fuzz/seeds/$target" -type f -regextype posix-extended -regex '.*/(random-[0-9]+|[0-9a-f]{40})' -delete
        bytes=$(find "fuzz/seeds/$target" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
        while read -r size file; do
            ((bytes + size <= KEPT_BYTES)) || break
            if find "fuzz/seeds/$target" -type f -size "${size}c" -exec cmp -s "$file" {} \; -print -quit | grep -q .; then continue; fi
            bytes=$((bytes + size))
            cp "$file" "fuzz/seeds/$target/"
        done < <(find "$smallest" -type f -printf '%s %p\n' | sort -n)
        rm -rf "$smallest"
        echo "fuzz.sh: $target keeps $bytes bytes"
    else
        cargo +nightly fuzz run --sanitizer "$sanitizer" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
            -max_total_time="$seconds" -max_len="$MOST_BYTES" -print_final_stats=1
    fi
done
