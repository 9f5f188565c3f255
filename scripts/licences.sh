#!/usr/bin/env bash
# Is everything that is linked or run under a licence that deny.toml allows? Both workspaces, as their lock files have them, with tests and
# build scripts. Needs no network and nothing but cargo; `cargo deny check licenses` also reads the texts of the licences.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
if (($#)); then
    sed -n '2,3s/^# \{0,1\}//p' scripts/licences.sh
    [[ $1 == --help ]] && exit
    exit 2
fi

allowed=$(sed -n '/^allow = \[/,/^\]/s/^ *"\(.*\)",$/\1/p' deny.toml)
excepted=$(sed -nE 's/^ *\{ crate = "([^"]+)", allow = \["([^"]+)"\] \},$/\1|\2/p' deny.toml)

# The licences and names of all packages that the workspace $1 resolves to, but for our own.
packages() {
    cargo tree --locked --manifest-path "$1" --workspace -e normal,build,dev --prefix none --format '{l}|{p}' 2>/dev/null |
        sed 's/ (\*)$//; s/ (proc-macro)$//' | grep '|' | grep -v ' (/' | sort -u
}

faults=0
for manifest in Cargo.toml node/Cargo.toml; do
    list=$(packages "$manifest")
    count=$(wc -l <<<"$list")
    ((count > 100)) || { echo "licences.sh: cargo lists $count packages of $manifest" >&2 && exit 1; }
    while IFS= read -r line; do
        echo "licences.sh: $manifest: $line" >&2
        faults=1
    done < <(awk -F '|' -v allowed="$allowed" -v excepted="$excepted" '
        BEGIN {
            n = split(allowed, list, "\n"); for (i = 1; i <= n; i++) ok[list[i]] = 1
            n = split(excepted, list, "\n"); for (i = 1; i <= n; i++) except[list[i]] = 1
        }
        # One of the alternatives, or one of each of the parts.
        function permitted(text,   part, n, i) {
            gsub(/[()]/, "", text)
            n = split(text, part, / OR | ?\/ ?/)
            for (i = 1; i <= n; i++) if (part[i] in ok || (name "|" part[i]) in except) return 1
            return 0
        }
        {
            split($2, words, " "); name = words[1]
            n = split($1, both, " AND "); good = n > 0
            for (i = 1; i <= n; i++) if (!permitted(both[i])) good = 0
            if (!good) print $2 ": " ($1 == "" ? "no licence" : $1)
        }' <<<"$list")
done

# What a contract, the core and the bots are made of: of the GPL only what ink! 5.1.1 itself depends on.
gpl=$(cargo tree --locked -p margin_vault -p liquidation_auction -p oracle_adapter -p vault_ext -p breakwater-core -p breakwater-bot \
    -e normal,build --prefix none --format '{l}|{p}' 2>/dev/null | sed 's/ (\*)$//; s/ (proc-macro)$//' | grep '^GPL-3.0-only|' | sort -u | sed 's/.*|//; s/ .*//')
[[ $gpl == $'staging-xcm\nxcm-procedural' ]] || { printf 'licences.sh: under the GPL in contracts, core or bots: %s\n' "$gpl" >&2 && faults=1; }
exit $faults
