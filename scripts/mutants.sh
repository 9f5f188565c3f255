#!/usr/bin/env bash
# What went wrong elsewhere, put into a copy of these sources one fault at a time: does the test that is named for it notice?
#
#   scripts/mutants.sh              run all, and write the table of docs/mutants.md
#   scripts/mutants.sh 02 17 ...    run these, and write their rows
#   scripts/mutants.sh --check      run none: every patch applies, its test exists, the table has it
#
# A patch in tests/mutants/ says in its head which incident it repeats, where that is described, which line of defence it takes away, and
# which test of crates/core must fail by it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
PAGE=docs/mutants.md
BEGIN='<!-- written by scripts/mutants.sh -->'
END='<!-- end -->'

field() { sed -n "s/^$2: //p;/^---/q" "$1"; }

# The test of a patch, as the test runner names it.
test_of() {
    local killer path
    killer=$(field "$1" Killed-by)
    path=${killer%%::*}
    path=${path#src/}
    path=${path%.rs}
    [[ $path == *tests* ]] || path+=/tests
    printf '%s::%s\n' "${path//\//::}" "${killer##*::}"
}

number_of() { basename "$1" | cut -d - -f 1; }

check() {
    local patch killer faults=0
    for patch in tests/mutants/*.patch; do
        killer=$(field "$patch" Killed-by)
        git apply --check "$patch" 2>/dev/null || { echo "mutants.sh: $patch does not apply any more" >&2 && faults=1; }
        grep -qE "fn ${killer##*::}\\(" "crates/core/${killer%%::*}" || { echo "mutants.sh: $patch names $killer, which does not exist" >&2 && faults=1; }
        grep -qE "^\| $(number_of "$patch") \|.*\`$killer\` \| killed \|\$" $PAGE || { echo "mutants.sh: $PAGE lacks $patch: run scripts/mutants.sh" >&2 && faults=1; }
    done
    return $faults
}

row() {
    local what
    what=$(field "$1" Incident)
    printf '| %s | %s | %s | `%s` | %s |\n' "$(number_of "$1")" "$what ($(field "$1" Source))" "$(field "$1" Removed)" "$(field "$1" Killed-by)" "$2"
}

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

patches=()
for patch in tests/mutants/*.patch; do
    if (($# == 0)) || [[ " $* " == *" $(number_of "$patch") "* ]]; then patches+=("$patch"); fi
done
((${#patches[@]})) || { echo "mutants.sh: no such patch" >&2 && exit 2; }

# The copy shares the build directory, so that what others have written is compiled once. Another profile keeps its core apart from that of
# these sources: cargo would take the one for the other. One test of each build is run, so that compiling fast is all that counts.
CORE=(-p breakwater-core --lib --config 'profile.dev.package.breakwater-core.debug=false' --config 'profile.dev.package.breakwater-core.opt-level=0')
copy=target/mutants
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard -- . ':!artifacts' ':!docs/images' | xargs -0 cp -p --parents -t "$copy" 2>/dev/null || true
CARGO_TARGET_DIR=$(realpath "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
log=$copy/last.log

cd "$copy"
log=last.log
export PROPTEST_MAX_SHRINK_ITERS=0
tests=()
for patch in "${patches[@]}"; do tests+=("$(test_of "$patch")"); done
echo "mutants.sh: ${#patches[@]} faults; first their tests without any"
if ! cargo test -q "${CORE[@]}" -- --exact "${tests[@]}" >$log 2>&1; then
    tail -n 30 $log >&2
    exit 1
fi
rows=() survived=0 count=0
for patch in "${patches[@]}"; do
    count=$((count + 1))
    patch -s -p1 <"$patch"
    result=SURVIVED
    if ! cargo test "${CORE[@]}" --no-run >$log 2>&1; then
        result='DOES NOT COMPILE'
        grep -m 3 -A 5 '^error' $log >&2 || true
    else
        # A fault may be that something never ends.
        code=0
        timeout "${TIMEOUT:-120}" cargo test "${CORE[@]}" -- --exact "$(test_of "$patch")" >$log 2>&1 || code=$?
        if ((code == 124)) || { ((code)) && grep -q '; 1 failed;' $log; }; then result=killed; fi
    fi
    patch -s -R -p1 <"$patch"
    [[ $result == killed ]] || survived=$((survived + 1))
    rows+=("$(row "$patch" "$result")")
    printf '%3s/%s  %-9s %s\n' "$count" "${#patches[@]}" "$result" "$(basename "$patch" .patch)"
done
cd ../..
rm -rf "$copy"
# What was run takes the place of its rows; the rest stays as it was.
if ((survived == 0)); then
ran=$(printf '%s\n' "${rows[@]}")
kept=$(sed -n "\\#^$BEGIN\$#,\\#^$END\$#p" $PAGE | grep -E '^\| [0-9]+ \|' | while IFS= read -r line; do
    number=$(cut -d ' ' -f 2 <<<"$line")
    grep -q "^| $number |" <<<"$ran" || ! compgen -G "tests/mutants/$number-*.patch" >/dev/null || printf '%s\n' "$line"
done)
table=$(printf '%s\n%s\n' "$kept" "$ran" | grep . | sort -u)
{
    sed "\\#^$BEGIN\$#q" $PAGE
    printf '\n| # | what happened, where it is described | what is taken away | test that notices | |\n|---|---|---|---|---|\n%s\n' "$table"
    printf '\n%s of %s killed.\n\n' "$(grep -c '| killed |$' <<<"$table")" "$(wc -l <<<"$table")"
    sed -n "\\#^$END\$#,\$p" $PAGE
} >$PAGE.new
mv $PAGE.new $PAGE
fi
echo "mutants.sh: $((count - survived)) of $count killed"
((survived == 0))
