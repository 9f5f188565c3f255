# shellcheck shell=bash
# Which Rust builds the contracts, and where cargo-contract is. Sourced by the other scripts; changes nothing by itself.

# Contracts are built by exactly this version: their bytecode depends on it, and the standard library is compiled with them.
CONTRACT_RUST=1.96.0
CARGO_CONTRACT_VERSION=5.0.3

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=$REPO/target/tools

# Whether the rustc at $1 is the pinned version and can build contracts: clippy beside it, the standard library's source below it.
is_contract_rustc() {
    local rustc=$1 sysroot
    [[ -x $rustc && $("$rustc" --version 2>/dev/null) == "rustc $CONTRACT_RUST "* ]] || return 1
    sysroot=$("$rustc" --print sysroot) || return 1
    [[ -x $sysroot/bin/cargo && -x $sysroot/bin/cargo-clippy && -d $sysroot/lib/rustlib/src/rust/library ]]
}

# Prints the rustc to build contracts with: the one on PATH, rustup's, the system's. Fails if none fits.
find_contract_rustc() {
    local rustc
    for rustc in \
        "$(command -v rustc || true)" \
        "$(rustup which --toolchain "$CONTRACT_RUST" rustc 2>/dev/null || true)" \
        /usr/bin/rustc; do
        if is_contract_rustc "$rustc"; then
            printf '%s\n' "$rustc"
            return
        fi
    done
    return 1
}

# Prints a linker for the contracts' target where the toolchain at sysroot $1 has none of its own, nothing where it has.
# It must read the bitcode of that toolchain's LLVM, hence the version in the first name.
find_contract_linker() {
    local candidate
    compgen -G "$1/lib/rustlib/*/bin/rust-lld" >/dev/null && return
    for candidate in wasm-ld-22 rust-lld; do
        command -v "$candidate" && return
    done
    return 1
}

# Makes cargo, rustc and clippy of this process those that build contracts.
use_contract_toolchain() {
    local rustc sysroot linker
    if ! rustc=$(find_contract_rustc); then
        echo "Rust $CONTRACT_RUST with clippy and rust-src is missing: run scripts/setup.sh" >&2
        return 1
    fi
    sysroot=$("$rustc" --print sysroot)
    export PATH="$sysroot/bin:$PATH"
    export RUSTC="$sysroot/bin/rustc"
    # cargo looks for cargo-clippy in its home first, where rustup's proxies are: this tells those which toolchain is meant.
    export RUSTUP_TOOLCHAIN="$sysroot"
    if [[ -z ${CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER:-} ]]; then
        if ! linker=$(find_contract_linker "$sysroot"); then
            echo "A WebAssembly linker (wasm-ld-22) is missing: run scripts/setup.sh" >&2
            return 1
        fi
        if [[ -n $linker ]]; then
            export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker"
        fi
    fi
}

# Prints the cargo-contract to use: the one on PATH if it is the pinned version, else the one setup.sh built.
find_cargo_contract() {
    local candidate
    for candidate in "$(command -v cargo-contract || true)" "$TOOLS/bin/cargo-contract"; do
        if [[ -x $candidate && $("$candidate" --version 2>/dev/null) == "cargo-contract $CARGO_CONTRACT_VERSION"* ]]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}
