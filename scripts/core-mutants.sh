#!/usr/bin/env bash
# Every operator and every function of the core's money code changed, one mutant at a time: do the unit tests notice?
#
#   scripts/core-mutants.sh             run all, and write the table of docs/mutants.md
#   scripts/core-mutants.sh --table     write the table from what has been run so far
#   scripts/core-mutants.sh --results   print the outcome of each, of the latest run
#
# The mutants are those of cargo-mutants (cargo install cargo-mutants --locked), for the files that .cargo/mutants.toml names. All are
# compiled into one test binary, each behind a switch (tests/mutants/schemata), so that a mutant costs one run of the tests up to the first
# that fails. What an earlier run killed is not run again; remove target/schemata to begin anew.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
PAGE=docs/mutants.md
BEGIN='<!-- written by scripts/core-mutants.sh -->'
END='<!-- end of all mutants -->'
out=$PWD/target/schemata
results=$out/results.tsv

case "${1:-}" in
    '' | --table) ;;
    --results) cat "$results" && exit ;;
    *)
        sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

run() {
    cargo mutants --version >/dev/null 2>&1 || { echo "core-mutants.sh: no cargo-mutants: cargo install cargo-mutants --locked" >&2 && exit 1; }
    mkdir -p "$out/copy"
    cargo mutants -p breakwater-core --list --json >"$out/list.json"
    git ls-files -z -- . ':!artifacts' ':!crates/core/src' | tar c --null -T - | tar x -C "$out/copy"
    cargo build -q --manifest-path tests/mutants/schemata/Cargo.toml --target-dir "$out/tool"

    # Few random cases, and without the two tests that take longer than all others together. No case that failed is kept for the next mutant.
    export PROPTEST_CASES=${PROPTEST_CASES:-64} PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
    export SCHEMATA_ARGS='--skip=a_million_auctions_keep_the_promises --skip=promise_6_a_position_asleep_through_a_thousand_batches_gets_out'
    CARGO_TARGET_DIR=$out/target "$out/tool/debug/breakwater-schemata" "$out/list.json" "$out/copy" "$results"
}
[[ -n ${1:-} ]] || run

table=$(awk -F '\t' '
    { split($1, at, ":"); file = at[1]; sub("crates/core/src/", "", file); what = $2; sub(/ .*/, "", what); if (what == "timeout") what = "killed"
      seen[file] = 1; count[file, what]++; sum[what]++ }
    function share(killed, missed) { return sprintf("%.1f %%", killed + missed ? 100 * killed / (killed + missed) : 100) }
    END {
        for (f in seen) printf "| `%s` | %d | %d | %d | %d | %s |\n", f, count[f, "killed"], count[f, "missed"], count[f, "unviable"], count[f, "constant"], share(count[f, "killed"], count[f, "missed"]) | "sort"
        close("sort")
        printf "| **all** | **%d** | **%d** | **%d** | **%d** | **%s** |\n", sum["killed"], sum["missed"], sum["unviable"], sum["constant"], share(sum["killed"], sum["missed"])
    }' "$results")
{
    sed "\\#^$BEGIN\$#q" $PAGE
    printf '\n| file | killed | missed | do not compile | in constants | killed of the first two |\n|---|---|---|---|---|---|\n%s\n\n' "$table"
    sed -n "\\#^$END\$#,\$p" $PAGE
} >$PAGE.new
mv $PAGE.new $PAGE
tail -n 1 <<<"$table"
