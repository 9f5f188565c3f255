//! The JSON form of an outcome, and its sums.

use super::*;

fn batch(number: u64, offered: u128, sold: Option<u128>) -> BatchOutcome {
    BatchOutcome {
        number,
        collateral_offered: offered,
        collateral_returned: offered - sold.unwrap_or(0),
        clearing: sold.map(|collateral_sold| Clearing {
            collateral_sold,
            raised: 2 * collateral_sold,
            distance_to_oracle_bps: -60,
            ..Clearing::default()
        }),
        bids: vec![BidOutcome {
            bidder: "Ada".to_owned(),
            kind: BidKind::Standing { discount_bps: 200 },
            ..BidOutcome::default()
        }],
        ..BatchOutcome::default()
    }
}

fn outcome() -> DemoOutcome {
    let batches = vec![
        batch(1, 10, None),
        batch(2, 40, Some(30)),
        batch(3, 40, None),
    ];
    DemoOutcome {
        totals: Totals::of(&batches),
        batches,
        ..DemoOutcome::default()
    }
}

#[test]
fn reads_back_what_it_wrote() {
    let outcome = outcome();
    let json = serde_json::to_string(&outcome).expect("plain data");
    assert_eq!(
        serde_json::from_str::<DemoOutcome>(&json).expect("its own form"),
        outcome
    );
    assert_eq!(serde_json::to_string(&outcome).expect("plain data"), json);
}

#[test]
fn amounts_are_strings_and_nothing_else_is_taken() {
    let point = PricePoint {
        time: 5,
        price: u128::MAX,
    };
    let json = serde_json::to_string(&point).expect("plain data");
    assert_eq!(
        json,
        r#"{"time":5,"price":"340282366920938463463374607431768211455"}"#
    );
    for price in ["7", "\"-7\"", "\"+7\"", "\"\"", "\"7.5\"", "null"] {
        let json = format!(r#"{{"time":5,"price":{price}}}"#);
        assert!(
            serde_json::from_str::<PricePoint>(&json).is_err(),
            "{price}"
        );
    }
    let kind = serde_json::to_string(&BidKind::Standing { discount_bps: 200 });
    assert_eq!(
        kind.expect("plain data"),
        r#"{"type":"standing","discount_bps":200}"#
    );
}

#[test]
fn totals_are_the_sums() {
    let batches = [
        batch(1, 10, None),
        batch(2, 40, Some(30)),
        batch(3, 25, Some(5)),
    ];
    let totals = Totals::of(&batches);
    assert_eq!((totals.batches, totals.cleared, totals.bids), (3, 2, 3));
    assert_eq!(
        (totals.collateral_offered, totals.collateral_sold),
        (75, 35)
    );
    assert_eq!((totals.collateral_returned, totals.raised), (40, 70));
    assert_eq!(Totals::of(&[]), Totals::default());
}

#[test]
fn the_largest_batch_is_the_first_of_equals() {
    assert_eq!(outcome().largest_batch().map(|batch| batch.number), Some(2));
    assert_eq!(DemoOutcome::default().largest_batch(), None);
}

#[test]
fn gas_does_not_wrap() {
    let most = Gas {
        ref_time: u64::MAX,
        proof_size: 1,
    };
    assert_eq!(
        [most, most].into_iter().sum::<Gas>(),
        Gas {
            ref_time: u64::MAX,
            proof_size: 2
        }
    );
}
