#!/usr/bin/env bash
# How much of the core its tests run: lines and regions of each file, into the table of docs/coverage.md. Test code itself does not count.
#
#   scripts/coverage.sh              unit tests and those of the documents, and write the table
#   scripts/coverage.sh --lib        unit tests alone, print only
#   scripts/coverage.sh --missed     as --lib; print what was not run
#
# Needs llvm-profdata and llvm-cov of the compiler's own LLVM: rustup component add llvm-tools
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
PAGE=docs/coverage.md
BEGIN='<!-- written by scripts/coverage.sh -->'
END='<!-- end -->'

tests=(--lib --test documents)
case "${1:-}" in
    '') ;;
    --lib | --missed) tests=(--lib) ;;
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
export RUSTC_WORKSPACE_WRAPPER=$out/rustc
build=$(cargo test -p breakwater-core "${tests[@]}" --no-run 2>&1) || { printf '%s\n' "$build" >&2 && exit 1; }
mapfile -t objects < <(sed -nE 's/^ *Executable .*\((.*)\)$/\1/p' <<<"$build")
LLVM_PROFILE_FILE=$out/%p-%m.profraw cargo test -q -p breakwater-core "${tests[@]}" >"$out/tests.log" 2>&1 || { tail -n 30 "$out/tests.log" >&2 && exit 1; }
"$tools/llvm-profdata" merge -sparse "$out"/*.profraw -o "$out/merged"

all=("${objects[0]}")
for object in "${objects[@]:1}"; do all+=(-object "$object"); done
sources=()
while IFS= read -r file; do sources+=("$PWD/$file"); done < <(find crates/core/src -name '*.rs' -not -path '*/tests/*' -not -name tests.rs | sort)

if [[ ${1:-} == --missed ]]; then
    # The line where a file's tests begin: what comes after it is no concern.
    for file in "${sources[@]}"; do
        "$tools/llvm-cov" show -instr-profile "$out/merged" "${all[@]}" --show-regions=false "$file" 2>/dev/null |
            awk -v file="${file#"$PWD"/}" -F '|' '/#\[cfg\(test\)\]/ { exit } $2 ~ /^ *0$/ { print file ":" $1 + 0 ":" $3 }'
    done | sort -u
    exit
fi

# Functions are listed with their regions and lines; those of test modules have `tests` in their mangled name. What is generic is listed once
# for each type it is used with, so that a branch that one of them never takes counts as missed.
table=$("$tools/llvm-cov" report -instr-profile "$out/merged" "${all[@]}" -show-functions "${sources[@]}" | awk -v root="$PWD/crates/core/src/" '
    /^File / { file = $2; gsub(/\047|:$/, "", file); sub(root, "", file); next }
    NF == 10 && $2 ~ /^[0-9]+$/ && $1 !~ /5tests|^TOTAL/ {
        regions[file] += $2; no_region[file] += $3; lines[file] += $5; no_line[file] += $6
        R += $2; r += $3; L += $5; l += $6
    }
    function share(all, missed) { return sprintf("%.2f %%", all ? 100 * (all - missed) / all : 100) }
    END {
        for (f in lines) printf "| `%s` | %d | %s | %d | %s |\n", f, lines[f], share(lines[f], no_line[f]), regions[f], share(regions[f], no_region[f]) | "sort"
        close("sort")
        printf "| **all** | **%d** | **%s** | **%d** | **%s** |\n", L, share(L, l), R, share(R, r)
    }')
if [[ -n ${1:-} ]]; then
    printf '%s\n' "$table"
    exit
fi
{
    sed "/^$BEGIN\$/q" $PAGE
    printf '\n| file | lines | run | regions | run |\n|---|---|---|---|---|\n%s\n\n' "$table"
    sed -n "/^$END\$/,\$p" $PAGE
} >$PAGE.new
mv $PAGE.new $PAGE
tail -n 1 <<<"$table"
