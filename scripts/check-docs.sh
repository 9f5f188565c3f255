#!/usr/bin/env bash
# Are the documents those of the present sources? Every storage key of a contract is in docs/storage.md under its name and number, none is
# there that no contract has; every message, event and error is in docs/integrating.md; every test that a page names exists; every page is in
# docs/SUMMARY.md; numbers of the README are on the pages it names; pages that sources name exist; and every relative link leads somewhere, its
# heading included.
#
#   scripts/check-docs.sh               all of that
#   scripts/check-docs.sh --run         also: every test that a page names is compiled and not left out; compiles all tests
#   scripts/check-docs.sh --self-test   does this script find what is wrong?
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C

case "${1:-}" in
    '' | --run | --self-test) ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' scripts/check-docs.sh
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

faults=0
fault() {
    printf 'check-docs.sh: %s\n' "$*" >&2
    faults=$((faults + 1))
}

# The four letters that the key $1 (eight hexadecimal digits) spells.
letters() {
    local digits=$1 at
    for at in 0 2 4 6; do
        # shellcheck disable=SC2059 # the format is the letter's code
        printf "\\x${digits:at:2}"
    done
}

keys_in_code=$(grep -rhoE 'ManualKey<0x[0-9a-f_]+' contracts crates/interfaces --include='*.rs' | sed 's/.*0x//; s/_//g' | sort -u)
keys_in_docs=$(grep -oE '`0x[0-9a-f]{8}`' docs/storage.md | tr -d '`' | sed 's/0x//' | sort -u)
for key in $keys_in_code; do
    grep -qF "\`0x$key\` \`$(letters "$key")\`" docs/storage.md || fault "docs/storage.md lacks \`0x$key\` \`$(letters "$key")\`"
done
for key in $keys_in_docs; do
    grep -qxF "$key" <<<"$keys_in_code" || fault "docs/storage.md has 0x$key, which no contract has"
done

documents=(README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs/*.md docs/decisions/*.md)

# The anchors of the headings of the document $1, as they are made of them: lower case, no punctuation, hyphens for blanks.
anchors() {
    sed -nE '/^```/,/^```/d; s/^#+ //p' "$1" | sed 's/\[\([^]]*\)\]([^)]*)/\1/g' | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g'
}

# Faults for links of the documents $@ that lead nowhere.
check_links() {
    local file link target heading path
    while IFS=: read -r file link; do
        target=${link#*](}
        target=${target%)}
        [[ $target == *://* ]] && continue
        heading=
        [[ $target == *'#'* ]] && heading=${target#*#}
        target=${target%%#*}
        path=$file
        [[ -n $target ]] && path=$(dirname "$file")/$target
        if [[ ! -e $path ]]; then
            fault "$file: nothing at $target"
        elif [[ -n $heading && $path == *.md ]]; then
            grep -qxF -- "$heading" <<<"$(anchors "$path")" || fault "$file: no heading #$heading in $path"
        fi
    done < <(grep -oHE '\]\([^)]+\)' "$@")
}

# Faults for tests named in the documents $@, as `path::name`, that are not in that file, or that the runner is told to ignore. Paths that
# begin with none of the folders here are the core's.
check_tests() {
    local page file name
    while IFS=: read -r page file _ name; do
        [[ $file == tests/embedded/* || $file == crates/* || $file == node/* ]] || file=crates/core/$file
        if ! grep -qE "fn $name\\(" "$file" 2>/dev/null; then
            fault "$page names $file::$name, which does not exist"
        elif grep -B 5 -E "fn $name\\(" "$file" | tac | awk 'NR > 1 && /^ *}|^$/ { exit } /#\[ignore/ { found = 1 } END { exit !found }'; then
            fault "$page names $file::$name, which is ignored"
        fi
    done < <(grep -oHE '`[a-z_/]+\.rs::[a-z0-9_]+`' "$@" | tr -d '`' | sort -u)
}

if [[ ${1:-} == --self-test ]]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cat >"$folder/good.md" <<'PAGE'
# A `good` page, it is

[here](#a-good-page-it-is), [there](bad.md#bad), [elsewhere](https://nowhere.invalid), `src/losses.rs::every_unit_has_one_source_and_one_use`
PAGE
    cat >"$folder/bad.md" <<'PAGE'
# Bad

[nowhere](none.md), [no heading](good.md#none), [none here](#none), `src/losses.rs::there_is_no_such_test`,
`src/none.rs::every_unit_has_one_source_and_one_use`, `tests/model/main.rs::the_ledger_equals_the_slow_model_for_as_long_as_told`
PAGE
    check_links "$folder/good.md" 2>/dev/null
    check_tests "$folder/good.md" 2>/dev/null
    [[ $faults == 0 ]] || { echo "check-docs.sh: finds faults where there are none" >&2 && exit 1; }
    check_links "$folder/bad.md" 2>/dev/null
    check_tests "$folder/bad.md" 2>/dev/null
    [[ $faults == 6 ]] || { echo "check-docs.sh: finds $faults faults of 6" >&2 && exit 1; }
    exit
fi

check_links "${documents[@]}"
check_tests "${documents[@]}"

# A hundred and ten properties, each with what holds it; incidents are not counted.
properties=$(awk '/^## What went wrong/ { exit } /^\|/ && (/::/ || /\*model\*|\*histories\*/)' docs/invariants.md | wc -l)
((properties >= 110)) || fault "docs/invariants.md lists $properties properties, fewer than 110"

# Every test that a page names is one that a run of all tests runs.
if [[ ${1:-} == --run ]]; then
    listed=$(cargo test --workspace --lib --bins --tests -- --list | sed -n 's/: test$//p')
    ignored=$(cargo test --workspace --lib --bins --tests -- --list --ignored 2>/dev/null | sed -n 's/: test$//p')
    running=$(comm -23 <(sed 's/.*:://' <<<"$listed" | sort -u) <(sed 's/.*:://' <<<"$ignored" | sort -u))
    while IFS= read -r name; do
        grep -qxF -- "$name" <<<"$running" || fault "a page names the test $name, which no run of all tests runs"
    done < <(grep -ohE '`[a-z_/]+\.rs::[a-z0-9_]+`' "${documents[@]}" | grep -v '^`node/' | tr -d '`' | sed 's/.*:://' | sort -u)
fi

# A number in bold in a row of the README that ends with a link to a page is on that page, word for word.
while IFS= read -r row; do
    page=$(grep -oE 'docs/[a-z-]+\.md' <<<"$row" | tail -n 1)
    while IFS= read -r number; do
        grep -qF -- "$number" "$page" || fault "README.md: $page has no $number any more"
    done < <(grep -oE '\*\*[0-9][^*]*\*\*' <<<"$row" | tr -d '*')
done < <(grep -E '^\|.*\*\*[0-9].*\]\(docs/[a-z-]+\.md[^)]*\) \|$' README.md)

# Constants that no test compares with docs/parameters.md are those of the sources.
constants=0
while IFS='|' read -r _ name value _; do
    name=$(tr -d '` ' <<<"$name") value=$(tr -d ', ' <<<"$value") constants=$((constants + 1))
    path=crates/core/src/${name%::*}
    path=${path//:://}
    grep -rqE "const ${name##*::}: [A-Za-z0-9]+ = $(sed -E 's/([0-9])/\1_?/g' <<<"$value");" "$path.rs" "$path/mod.rs" 2>/dev/null ||
        fault "docs/parameters.md: $name is not $value, or not there"
done < <(awk '/^### Sizes and parts/ { on = 1; next } /^#/ { on = 0 } on && /^\| `/' docs/parameters.md)
((constants > 0)) || fault "docs/parameters.md has no sizes and parts"

# The book has every page.
for page in docs/*.md docs/decisions/*.md; do
    page=${page#docs/}
    [[ $page == SUMMARY.md ]] || grep -qF "]($page)" docs/SUMMARY.md || fault "docs/SUMMARY.md lacks $page"
done

# Sources name pages that exist, and no two decisions have one number.
while IFS=: read -r file page; do
    [[ -e $page ]] || fault "$file names $page, which does not exist"
done < <(grep -roHE 'docs/[a-zA-Z0-9/_-]+\.(md|png|svg)' contracts crates scripts tests --include='*.rs' --include='*.sh' --include='*.toml')
while IFS= read -r number; do
    fault "two decisions have the number $number"
done < <(find docs/decisions -name '*.md' -printf '%f\n' | cut -d - -f 1 | sort | uniq -d)

# Every message of a contract is in docs/integrating.md.
while IFS= read -r message; do
    grep -qF "\`$message\`" docs/integrating.md || fault "docs/integrating.md lacks the message $message"
done < <(
    for file in auction breaker standing vault vault_admin governance oracle; do
        grep -A1 -F '#[ink(message)]' "crates/interfaces/src/$file.rs"
    done | grep -oE 'fn [a-z_]+' | cut -d ' ' -f 2 | sort -u
)

# Every event of a contract is in a table there, and the replayer knows those of vault and auction.
while IFS=: read -r file event; do
    grep -qE "^\|[^|]*\`$event\`[^|]*\|" docs/integrating.md || fault "docs/integrating.md lacks the event $event"
    [[ $file == */oracle.rs ]] || grep -qw "$event" crates/sim/src/replay/decode.rs || fault "crates/sim/src/replay/decode.rs lacks $event"
done < <(
    for file in auction breaker standing vault/events vault_admin governance oracle; do
        awk -v file="crates/interfaces/src/$file.rs" '
            /^#\[ink::event\]/ { event = 1; next }
            event && /^pub struct / { sub(/[^A-Za-z0-9].*/, "", $3); print file ":" $3; event = 0 }' "crates/interfaces/src/$file.rs"
    done
)

# Every error that a contract returns is there, in the table of its type.
while read -r type variant; do
    awk -v named="\`$type\`" -v row="| \`$variant\`" '
        /^#/ { inside = index($0, named) }
        inside && index($0, row) == 1 { found = 1 }
        END { exit !found }' docs/integrating.md || fault "docs/integrating.md lacks $variant in the table of $type"
done < <(
    find crates/core/src crates/interfaces/src -name '*.rs' -exec awk -v no="^PSP22Error$" '
        /^pub enum [A-Za-z0-9]*Error / { type = $3; if (type ~ no) type = "" }
        /^}/ { type = "" }
        type != "" && /^    [A-Z][A-Za-z]*[,({]/ { sub(/[,({].*/, ""); print type, $1 }' {} +
)

if grep -nH 'TODO-' "${documents[@]}"; then
    fault "marks are left to be filled in"
fi
((faults == 0))
