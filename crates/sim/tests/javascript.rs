//! What programs in JavaScript send and read: `examples/javascript/vectors.json` has the bytes of the Rust codec, and the example's
//! own test compares them with what the metadata in the bundles says.
//!
//! `BREAKWATER_WRITE_VECTORS=1 cargo test -p breakwater-sim --test javascript` writes the file anew.

use breakwater_chain::Message;
use breakwater_core::auction::{Auction, Fill};
use breakwater_core::ladder::Schedule;
use breakwater_core::market::{example_params, MarketPrices};
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_interfaces::auction::{
    AuctionContractError, BatchKey, Bid, BidPage, LiquidationAuction,
};
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_sim::deployment::{AuctionRef, StandingRef, VaultRef};
use ink::codegen::TraitCallBuilder;
use ink::primitives::LangError;
use scale::Encode;
use serde_json::{json, Value};
use std::path::Path;

const PATH: &str = "../../examples/javascript/vectors.json";
const BATCH: BatchKey = BatchKey {
    market: 2,
    number: 7,
};

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A number that JavaScript has no exact one for.
fn big(number: u128) -> Value {
    json!(format!("{number}n"))
}

fn input<R>(contract: &str, name: &str, args: Value, message: impl Into<Message<R>>) -> Value {
    let input = hex(message.into().input());
    json!({ "contract": contract, "message": name, "args": args, "input": input })
}

fn output<T: Encode>(contract: &str, name: &str, value: T, says: Value) -> Value {
    let output = hex(&Ok::<T, LangError>(value).encode());
    json!({ "contract": contract, "message": name, "output": output, "value": says })
}

fn inputs() -> Vec<Value> {
    const AUCTION: &str = "liquidation_auction";
    let here = ink::primitives::AccountId::from([1; 32]);
    let (mut auction, mut standing): (AuctionRef, StandingRef) = (here.into(), here.into());
    let mut vault: VaultRef = here.into();
    let key = json!({ "market": 2, "number": 7 });
    let limit = 199 * PRICE_ONE + PRICE_ONE / 4;
    vec![
        input(
            AUCTION,
            "bid",
            json!([key, big(u128::MAX), big(limit), 4_000_000_000u32]),
            auction.call_mut().bid(
                BATCH,
                Amount::new(u128::MAX),
                Price::new(limit),
                4_000_000_000,
            ),
        ),
        input(
            AUCTION,
            "claim",
            json!([key, [0, 3, 1_000]]),
            auction.call_mut().claim(BATCH, vec![0, 3, 1_000]),
        ),
        input(
            AUCTION,
            "deposit",
            json!([2, big(1)]),
            auction.call_mut().deposit(2, Amount::new(1)),
        ),
        input(
            AUCTION,
            "status",
            json!([key]),
            auction.call().status(BATCH),
        ),
        input(
            AUCTION,
            "stand",
            json!([2, 30, big(1_000_000)]),
            standing.call_mut().stand(2, 30, Amount::new(1_000_000)),
        ),
        input(
            "margin_vault",
            "market_prices",
            json!([2]),
            vault.call().market_prices(2),
        ),
        input(
            "margin_vault",
            "borrow",
            json!([2, big(5_000_000)]),
            vault.call_mut().borrow(2, Amount::new(5_000_000)),
        ),
    ]
}

fn outputs() -> Vec<Value> {
    const AUCTION: &str = "liquidation_auction";
    let schedule = Schedule {
        first: 100,
        blocks_per_step: 1,
        steps: 3,
    };
    let prices = [204, 200, 190].map(|whole| Price::new(whole * PRICE_ONE));
    let targets = vec![Amount::new(5_000_000_000); 3];
    let auction = Auction::open(
        schedule,
        98,
        Price::new(200 * PRICE_ONE),
        prices.to_vec(),
        targets,
    );
    let scale = example_params().scale().expect("valid");
    let status = auction
        .expect("valid")
        .status(101, scale)
        .expect("in range");
    let bid = Bid {
        bidder: [7; 32].into(),
        budget: Amount::new(1_500_000),
        limit: Price::new(199 * PRICE_ONE),
        step: 2,
    };
    let fill = Fill {
        spent: Amount::new(1_000_000),
        received: Amount::new(5_000_000_000_000_000),
        ..Fill::default()
    };
    let page = BidPage {
        bids: vec![(4, bid, Some(fill)), (9, bid, None)],
        next: Some(41),
    };
    let prices = MarketPrices {
        spot: Price::new(199 * PRICE_ONE),
        previous: Price::new(200 * PRICE_ONE),
        twap: Price::new(u128::MAX),
        round: 5,
        accepted_in: 77,
        age: u64::MAX,
        quarantined: None,
        volatility: None,
    };
    vec![
        output(
            AUCTION,
            "status",
            Some(status),
            json!({
                "stage": "Bidding", "step": 1, "price": big(200 * PRICE_ONE), "nextPrice": big(190 * PRICE_ONE),
                "blocksToNext": 1, "target": big(5_000_000_000), "demand": big(0),
            }),
        ),
        output(
            AUCTION,
            "bids_of",
            page,
            json!({
                "bids.0.0": 4, "bids.0.1.budget": big(1_500_000), "bids.0.1.limit": big(199 * PRICE_ONE), "bids.0.1.step": 2,
                "bids.0.2.received": big(5_000_000_000_000_000), "bids.1.0": 9, "next": 41,
            }),
        ),
        output(
            AUCTION,
            "bid",
            Ok::<u32, AuctionContractError>(12),
            json!({ "isOk": true, "value": 12 }),
        ),
        output(
            AUCTION,
            "bid",
            Err::<u32, _>(AuctionContractError::InsufficientBalance),
            json!({ "isErr": true, "err.type": "InsufficientBalance" }),
        ),
        output(
            "margin_vault",
            "market_prices",
            Ok::<_, VaultError>(prices),
            json!({
                "isOk": true, "value.spot": big(199 * PRICE_ONE), "value.twap": big(u128::MAX), "value.round": 5,
                "value.age": big(u128::from(u64::MAX)),
            }),
        ),
    ]
}

#[test]
fn the_bytes_that_javascript_is_tested_with_are_those_of_the_rust_codec() {
    let vectors = json!({ "inputs": inputs(), "outputs": outputs() });
    let vectors = serde_json::to_string_pretty(&vectors).expect("is JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    if std::env::var_os("BREAKWATER_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &vectors).expect("writes");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored.replace('\r', "") == vectors,
        "examples/javascript/vectors.json is not what Rust encodes: see the head of this file"
    );
}
