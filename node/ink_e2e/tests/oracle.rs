//! The oracle adapter's released code under ink!'s own end-to-end client.
//!
//! ink_e2e would build contracts in debug mode; here it finds none to build, and the released
//! bundles go to the chain through its runtime calls.

use breakwater_core::oracle::{FeedConfig, OracleError, Reading};
use breakwater_core::units::{Price, PRICE_ONE};
use breakwater_interfaces::oracle::{OracleAdapter, RoundAccepted};
use breakwater_sim::artifacts::Contract;
use breakwater_sim::deployment::OracleRef;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use ink::env::Event;
use ink_e2e::subxt::dynamic::Value;
use ink_e2e::{ChainBackend, ContractsBackend};
use scale::{Decode, Encode};

const PRICE: Price = Price::new(200 * PRICE_ONE);

type Failure = Box<dyn std::error::Error>;

#[ink_e2e::test]
async fn feeders_make_rounds_and_nobody_else_does() -> Result<(), Failure> {
    let (governor, feeder) = (ink_e2e::alice(), ink_e2e::bob());
    let account = |pair: &ink_e2e::Keypair| ink::primitives::AccountId::from(pair.public_key().0);
    let new = ExecutionInput::new(Selector::new(ink::selector_bytes!("new")));
    let fields = vec![
        Value::u128(0),
        Value::named_composite([
            ("ref_time", Value::u128(100_000_000_000)),
            ("proof_size", Value::u128(1_000_000)),
        ]),
        Value::unnamed_variant("None", []),
        Value::from_bytes(Contract::OracleAdapter.code()?),
        Value::from_bytes(new.push_arg(account(&governor)).encode()),
        Value::from_bytes([]),
    ];
    let events = client
        .runtime_call(&governor, "Contracts", "instantiate_with_code", fields)
        .await?;
    let oracle = events
        .iter()
        .flatten()
        .find(|event| event.variant_name() == "Instantiated")
        .and_then(|event| <([u8; 32], [u8; 32])>::decode(&mut event.field_bytes()).ok())
        .map(|(_, contract)| ink::primitives::AccountId::from(contract))
        .ok_or("no contract was instantiated")?;
    let mut calls = OracleRef::from(oracle);

    let config = FeedConfig::standard(1, 600_000, 1, 600_000);
    let message = calls.call_mut().register_feed(0, config);
    client.call(&governor, &message).submit().await?;
    let message = calls.call_mut().add_feeder(0, account(&feeder));
    client.call(&governor, &message).submit().await?;

    // The time of the latest block, which the node takes from the clock of this machine.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let observed = u64::try_from(now.as_millis())?.saturating_sub(5_000);
    let message = calls.call_mut().submit(0, PRICE, observed);
    let refused = client.call(&ink_e2e::charlie(), &message).dry_run().await?;
    assert_eq!(refused.return_value(), Err(OracleError::NotAFeeder));
    let receipt = client.call(&feeder, &message).submit().await?;
    let emitted = receipt.contract_emitted_events()?;
    let rounds: Vec<_> = emitted
        .iter()
        .filter(|event| event.topics.first().map(|topic| topic.0) == RoundAccepted::SIGNATURE_TOPIC)
        .map(|event| RoundAccepted::decode(&mut event.event.data.as_slice()))
        .collect::<Result<_, _>>()?;
    assert_eq!(rounds.len(), 1);
    assert_eq!(rounds[0].round.price, PRICE);

    let message = calls.call().read(0);
    let reading: Result<Reading, OracleError> = client
        .call(&ink_e2e::charlie(), &message)
        .dry_run()
        .await?
        .return_value();
    assert_eq!(reading.map(|reading| reading.round.price), Ok(PRICE));
    Ok(())
}
