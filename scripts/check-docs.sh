#!/usr/bin/env bash
# Are the documents those of the present sources? Every storage key of a contract is in docs/storage.md under its name and number, none is
# there that no contract has, every test that the map of invariants names exists, and every relative link leads somewhere.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C

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

while IFS=: read -r file link; do
    target=${link#*](}
    target=${target%)}
    target=${target%%#*}
    [[ -z $target || $target == *://* || -e $(dirname "$file")/$target ]] || fault "$file: nothing at $target"
done < <(grep -oHE '\]\([^)]+\)' README.md docs/*.md docs/decisions/*.md)

# Every test that the map of invariants names, as `path::name`, is in that file; paths without `tests/embedded` are the core's.
while IFS= read -r named; do
    file=${named%%::*}
    [[ $file == tests/embedded/* ]] || file=crates/core/$file
    grep -qE "fn ${named##*::}\\(" "$file" 2>/dev/null || fault "docs/invariants.md names $named, which does not exist"
done < <(grep -oE '`[a-z_/]+\.rs::[a-z0-9_]+`' docs/invariants.md | tr -d '`' | sort -u)

if grep -nH 'TODO-' README.md docs/*.md docs/decisions/*.md; then
    fault "marks are left to be filled in"
fi
((faults == 0))
