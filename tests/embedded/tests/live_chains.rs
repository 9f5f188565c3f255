//! What live chains ask of code: no host function that is not stable, at most 123 KiB.
//!
//! The whole suite runs on a runtime with their limits by `scripts/live.sh`.

use breakwater_chain::{CallError, Chain, Constructor, Embedded, Genesis, Profile};
use breakwater_sim::artifacts::Contract;
use futures::executor::block_on;
use ink::env::call::{ExecutionInput, Selector};
use wasmparser::{Parser, Payload};

const CONTRACTS: [Contract; 6] = [
    Contract::OracleAdapter,
    Contract::MarginVault,
    Contract::VaultExt,
    Contract::AuctionExt,
    Contract::LiquidationAuction,
    Contract::TestToken,
];

/// Host functions that pallet-contracts 38 marks as unstable, and where the module is given, in that version alone.
const UNSTABLE: [(&str, Option<&str>); 10] = [
    ("noop", None),
    ("set_transient_storage", None),
    ("clear_transient_storage", None),
    ("get_transient_storage", None),
    ("contains_transient_storage", None),
    ("take_transient_storage", None),
    ("weight_to_fee", Some("seal1")),
    ("gas_left", Some("seal1")),
    ("reentrance_count", None),
    ("account_reentrance_count", None),
];

/// The host functions that code imports: module and name.
fn imports(code: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(code) {
        if let Payload::ImportSection(section) = payload.expect("is WebAssembly") {
            for import in section.into_imports() {
                let import = import.expect("is WebAssembly");
                found.push((import.module.to_owned(), import.name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn no_contract_imports_a_host_function_that_live_chains_refuse() {
    for contract in CONTRACTS {
        let imports = imports(&contract.code().expect("is whole"));
        assert!(imports.contains(&("env".to_owned(), "memory".to_owned())));
        assert!(imports.len() > 8, "{contract:?}: {imports:?}");
        for (module, name) in &imports {
            let unstable = UNSTABLE
                .iter()
                .any(|(of, version)| of == name && version.is_none_or(|version| version == module));
            assert!(!unstable, "{contract:?} imports {module}::{name}");
            let known = module == "env" || module.starts_with("seal");
            assert!(known, "{contract:?} imports {module}::{name}");
        }
    }
}

#[test]
fn a_live_chain_takes_the_code_of_every_contract() {
    let genesis = Genesis {
        profile: Profile::Live,
        ..Genesis::default()
    };
    for contract in CONTRACTS {
        let code = contract.code().expect("is whole");
        assert!(code.len() <= Profile::LIVE_CODE_BYTES as usize);
        // A constructor that does not exist: the code is judged first.
        let none = Constructor::<()>::new(&ExecutionInput::new(Selector::new([0xfe; 4])));
        let mut chain = Embedded::with_genesis(genesis);
        let alice = chain.account(0);
        let refused = block_on(chain.instantiate(&alice, &code, none, &[])).map(drop);
        assert!(
            !matches!(refused, Ok(()) | Err(CallError::CodeRejected(_))),
            "{contract:?}: {refused:?}"
        );
    }
}
