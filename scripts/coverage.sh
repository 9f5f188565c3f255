#!/usr/bin/env bash
# How much of the core its tests run: lines and regions of each file, into the table of docs/coverage.md. Test code itself does not count.
#
#   scripts/coverage.sh              run the unit tests and write the table
#   scripts/coverage.sh --print      print it instead
#   scripts/coverage.sh --missed     print the lines that were not run
#
# Needs llvm-profdata and llvm-cov of the compiler's own LLVM: rustup component add llvm-tools
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
PAGE=docs/coverage.md
BEGIN='<!-- written by scripts/coverage.sh -->'
END='<!-- end -->'

# Compiling is most of the work: little optimisation, and few random cases. Neither moves a figure by more than a region or two.
tests=(--lib --config profile.dev.package.breakwater-core.opt-level=1)
export PROPTEST_CASES=${PROPTEST_CASES:-64}
case "${1:-}" in
    '' | --print | --missed) ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

tools=$(rustc --print target-libdir)/../bin
[[ -x $tools/llvm-cov && -x $tools/llvm-profdata ]] || { echo "coverage.sh: no llvm-cov: rustup component add llvm-tools" >&2 && exit 1; }

# Only our own code is compiled anew: the wrapper adds the flag to crates of the workspace.
out=${CARGO_TARGET_DIR:-$PWD/target}/coverage
rm -rf "$out"
mkdir -p "$out"
printf '#!/bin/sh\nexec "$@" -C instrument-coverage\n' >"$out/rustc"
chmod +x "$out/rustc"
export RUSTC_WORKSPACE_WRAPPER=$out/rustc LLVM_PROFILE_FILE=$out/%p-%m.profraw
build=$(cargo test -p breakwater-core "${tests[@]}" --no-run 2>&1) || { printf '%s\n' "$build" >&2 && exit 1; }
mapfile -t objects < <(sed -nE 's/^ *Executable .*\((.*)\)$/\1/p' <<<"$build" | xargs realpath)
for object in "${objects[@]}"; do
    (cd crates/core && "$object" -q) >"$out/tests.log" 2>&1 || { tail -n 30 "$out/tests.log" >&2 && exit 1; }
done
"$tools/llvm-profdata" merge -sparse "$out"/*.profraw -o "$out/merged"

all=("${objects[0]}")
for object in "${objects[@]:1}"; do all+=(-object "$object"); done
sources=()
while IFS= read -r file; do sources+=("$PWD/$file"); done < <(find crates/core/src -name '*.rs' -not -path '*/tests/*' -not -name tests.rs | sort)

if [[ ${1:-} == --missed ]]; then
    for file in "${sources[@]}"; do
        "$tools/llvm-cov" show -instr-profile "$out/merged" "${all[@]}" --show-regions=false "$file" 2>/dev/null |
            awk -v file="${file#"$PWD"/}" -F '|' '/\|mod tests \{/ { exit } $2 ~ /^ *0$/ { print file ":" $1 + 0 ":" $3 }'
    done | sort -u
    exit
fi

command -v jq >/dev/null || { echo "coverage.sh: needs jq" >&2 && exit 1; }
# A region counts once, and as run if any type that a generic function is used with runs it; so does a line. What follows a file's
# `mod tests {` is its tests.
tests_begin=$(grep -n -H '^mod tests {' "${sources[@]}" | awk -F : '{ print $1 "\t" $2 }')
export_of() { "$tools/llvm-cov" export -instr-profile "$out/merged" "${all[@]}" "$@" "${sources[@]}" 2>/dev/null; }
table=$({
    export_of -format=text | jq -r '.data[0].functions[] | .filenames[0] as $f | .regions[] | select(.[5] == 0 and .[7] == 0)
        | "region\t\($f)\t\(.[0])\t\(.[0:4])\t\(.[4])"'
    export_of -format=lcov | awk -F '[:,]' '/^SF/ { file = $2 } /^DA/ { print "line\t" file "\t" $2 "\t" $2 "\t" $3 }'
} | awk -F '\t' -v root="$PWD/crates/core/src/" -v begins="$tests_begin" '
    BEGIN { n = split(begins, rows, "\n"); for (i = 1; i <= n; i++) { split(rows[i], row, "\t"); end[row[1]] = row[2] + 0 } }
    index($2, root) == 1 && $2 !~ /\/tests(\/|\.rs)/ && !($2 in end && $3 >= end[$2]) { key = $1 "\t" $2 "\t" $4; if ($5 > most[key] + 0) most[key] = $5; else most[key] += 0 }
    function share(all, run) { return sprintf("%.2f %%", all ? 100 * run / all : 100) }
    END {
        for (key in most) {
            split(key, part, "\t"); what = part[1]; file = substr(part[2], length(root) + 1)
            seen[file] = 1; all[what, file]++; sum[what]++
            if (most[key] > 0) { run[what, file]++; ran[what]++ }
        }
        for (f in seen) printf "| `%s` | %d | %s | %d | %s |\n", f, all["line", f], share(all["line", f], run["line", f]), all["region", f], share(all["region", f], run["region", f]) | "sort"
        close("sort")
        printf "| **all** | **%d** | **%s** | **%d** | **%s** |\n", sum["line"], share(sum["line"], ran["line"]), sum["region"], share(sum["region"], ran["region"])
    }')
if [[ -n ${1:-} ]]; then
    printf '%s\n' "$table"
    exit
fi
{
    sed "\\#^$BEGIN\$#q" $PAGE
    printf '\n| file | lines | run | regions | run |\n|---|---|---|---|---|\n%s\n\n' "$table"
    sed -n "\\#^$END\$#,\$p" $PAGE
} >$PAGE.new
mv $PAGE.new $PAGE
tail -n 1 <<<"$table"
