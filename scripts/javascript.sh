#!/usr/bin/env bash
# Installs what the JavaScript example needs, by its lock file, and runs its own test, which needs no node.
#
#   scripts/javascript.sh             install and test; where there is no Node.js or no registry, says so in a line
#   scripts/javascript.sh --install   install only; fails where that cannot be done
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../examples/javascript"
OLDEST=20

if [[ ${1:-} == --help ]]; then
    sed -n '2,5s/^# \{0,1\}//p' ../../scripts/javascript.sh
    exit
fi

# Why the example cannot be used here; nothing if it can.
missing() {
    local version
    if ! command -v npm >/dev/null || ! version=$(node --version 2>/dev/null); then
        echo "Node.js $OLDEST or later with npm is not installed"
        return
    fi
    version=${version#v}
    if ((${version%%.*} < OLDEST)); then
        echo "Node.js is $version: $OLDEST or later is needed"
        return
    fi
    # npm leaves a copy of the lock file behind when it is done.
    [[ node_modules/.package-lock.json -nt package-lock.json ]] && return
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null 2>&1 \
        || echo "npm ci failed: run it in examples/javascript to see why"
}

reason=$(missing)
case "${1:-}" in
    --install)
        [[ -z $reason ]] || {
            echo "javascript.sh: $reason" >&2
            exit 1
        }
        ;;
    '')
        if [[ -n $reason ]]; then
            echo "the JavaScript example was not tested: $reason"
            exit
        fi
        node --test --test-reporter=dot
        ;;
    *)
        sed -n '2,5s/^# \{0,1\}//p' ../../scripts/javascript.sh
        exit 2
        ;;
esac
