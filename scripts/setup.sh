#!/usr/bin/env bash
# Makes this machine able to build and test Breakwater. Run it as often as you like: what is there stays as it is.
#
#   scripts/setup.sh               everything: host tools, the contracts' Rust, cargo-contract
#   scripts/setup.sh --host-only   only what the demo and the tests on the committed bundles need
#
# For each tool: what is on PATH, then rustup, then Debian's packages.
set -euo pipefail

# shellcheck source=scripts/toolchain.sh
source "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"

# The newest version some dependency asks for.
MIN_HOST_RUST=1.89

host_only=false
case "${1:-}" in
    '') ;;
    --host-only) host_only=true ;;
    *)
        sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [[ $1 == --help ]] && exit
        exit 2
        ;;
esac

ok() { printf 'ok          %s\n' "$*"; }
installing() { printf 'installing  %s\n' "$*"; }
missing() {
    printf 'missing     %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null; }

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo "$@"
    fi
}

apt_refreshed=false

# Installs Debian packages; fails where apt, the permission or one of the packages is missing.
apt_install() {
    have apt-get || return 1
    # Without a terminal a password could never be typed: fail now instead of waiting for it.
    ((EUID == 0)) || { have sudo && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; } || return 1
    if ! $apt_refreshed; then
        as_root apt-get update -qq >/dev/null 2>&1 || return 1
        apt_refreshed=true
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

# The first version is at least the second.
at_least() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

rust_version() { "$1" --version 2>/dev/null | cut -d ' ' -f 2; }

ensure_compilers() {
    if ! have cc || ! have c++; then
        installing "a C and C++ compiler"
        apt_install gcc g++ libc6-dev || missing "a C and C++ compiler: install gcc and g++ (Debian: apt-get install gcc g++ libc6-dev)"
    fi
    ok "C compiler $(cc -dumpversion), C++ compiler $(c++ -dumpversion)"
}

ensure_host_rust() {
    local how="a cargo of version $MIN_HOST_RUST or newer: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    if ! at_least "$(rust_version cargo)" "$MIN_HOST_RUST"; then
        if have rustup; then
            how="a cargo of version $MIN_HOST_RUST or newer: rustup update stable && rustup default stable"
            installing "Rust stable (rustup)"
            rustup toolchain install stable --profile default --no-self-update || missing "$how"
        else
            installing "Rust (Debian packages)"
            apt_install rustc-web cargo-web || missing "$how"
            hash -r
        fi
        at_least "$(rust_version cargo)" "$MIN_HOST_RUST" || missing "$how"
    fi
    ok "cargo $(rust_version cargo)"
}

# $1: cargo's subcommand, $2: rustup's component, $3: Debian's package.
ensure_cargo_component() {
    local how="cargo $1: rustup component add $2"
    have rustup || how="cargo $1: apt-get install $3"
    if ! cargo "$1" --version >/dev/null 2>&1; then
        installing "cargo $1"
        { have rustup && rustup component add "$2"; } || apt_install "$3" || missing "$how"
        cargo "$1" --version >/dev/null 2>&1 || missing "$how"
    fi
    ok "$(cargo "$1" --version)"
}

ensure_contract_rust() {
    local rustc sysroot linker
    local packages=(rustc-web cargo-web rust-web-src rust-web-clippy lld-22)
    local how="Rust $CONTRACT_RUST for the contracts: rustup toolchain install $CONTRACT_RUST --component rust-src --component clippy"
    how+=" (or, where Debian has that version: apt-get install ${packages[*]})"
    if ! rustc=$(find_contract_rustc); then
        if have rustup; then
            installing "Rust $CONTRACT_RUST with rust-src (rustup)"
            rustup toolchain install "$CONTRACT_RUST" --profile minimal --component rust-src --component clippy \
                --no-self-update || true
        fi
        if ! rustc=$(find_contract_rustc); then
            installing "Rust $CONTRACT_RUST with its source (Debian packages)"
            apt_install "${packages[@]}" || missing "$how"
            rustc=$(find_contract_rustc) || missing "$how"
        fi
    fi
    ok "Rust $CONTRACT_RUST with rust-src for the contracts"

    sysroot=$("$rustc" --print sysroot)
    if ! linker=$(find_contract_linker "$sysroot"); then
        installing "the WebAssembly linker"
        apt_install lld-22 || missing "the linker wasm-ld-22: apt-get install lld-22"
        linker=$(find_contract_linker "$sysroot") || missing "the linker wasm-ld-22: apt-get install lld-22"
    fi
    ok "WebAssembly linker ${linker:-of the toolchain}"
}

ensure_cargo_contract() {
    local how=(cargo install cargo-contract --version "$CARGO_CONTRACT_VERSION" --locked)
    if ! find_cargo_contract >/dev/null; then
        installing "cargo-contract $CARGO_CONTRACT_VERSION into target/tools (about 20 minutes, once)"
        # A target directory of its own lets an interrupted build go on where it stopped.
        "${how[@]}" --root "$TOOLS" --target-dir "$TOOLS/build" || missing "cargo-contract: ${how[*]}"
        rm -rf "$TOOLS/build"
        find_cargo_contract >/dev/null || missing "cargo-contract $CARGO_CONTRACT_VERSION: ${how[*]}"
    fi
    ok "cargo-contract $CARGO_CONTRACT_VERSION"
}

ensure_compilers
ensure_host_rust
if ! $host_only; then
    ensure_cargo_component fmt rustfmt rustfmt-web
    ensure_cargo_component clippy clippy rust-web-clippy
    ensure_contract_rust
    ensure_cargo_contract
fi
