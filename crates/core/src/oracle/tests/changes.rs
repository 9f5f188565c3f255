//! A feed's configuration changes inside hard bounds, and what was published stays what it was.

use super::*;

fn next() -> FeedConfig {
    FeedConfig {
        min_feeders: 3,
        heartbeat: 120_000,
        min_gap: 2,
        twap_window: 900_000,
        deviation: Ratio::from_bps(500),
        drift: Ratio::from_bps(900),
        ..config()
    }
}

#[test]
fn every_bound_of_a_change_is_checked() {
    let now = FeedConfig::standard(2, 60_000, 1, 600_000);
    assert_eq!(now.ensure_may_become(&next(), 5), Ok(()));
    let changes: [fn(&mut FeedConfig); 10] = [
        |c| c.min_feeders = 2,
        |c| c.min_feeders = 6,
        |c| c.heartbeat = SHORTEST_WINDOW - 1,
        |c| c.heartbeat = LONGEST_WINDOW + 1,
        |c| c.twap_window = LONGEST_WINDOW + 1,
        |c| c.volatility.interval = LONGEST_WINDOW + 1,
        |c| c.min_gap = LARGEST_GAP + 1,
        |c| c.deviation = Ratio::from_bps(5_001),
        |c| c.drift = Ratio::from_bps(10_001),
        |c| c.deviation = Ratio::from_ppm(u32::MAX),
    ];
    for change in changes {
        let mut config = next();
        change(&mut config);
        let refused = now.ensure_may_become(&config, 5);
        assert_eq!(refused, Err(OracleError::OutOfBounds), "{config:?}");
    }
    let mut senseless = next();
    senseless.volatility.decay = Ratio::ONE;
    let refused = now.ensure_may_become(&senseless, 5);
    assert_eq!(refused, Err(OracleError::InvalidConfig));
    // A feed with wider bands may keep them, not widen them.
    let without = FeedConfig::without_bands(3, 60_000, 1, 600_000);
    assert_eq!(without.ensure_may_become(&without, 5), Ok(()));
    let loose = FeedConfig {
        deviation: Ratio::from_bps(6_000),
        ..next()
    };
    let looser = FeedConfig {
        deviation: Ratio::from_bps(6_001),
        ..next()
    };
    assert_eq!(loose.ensure_may_become(&loose, 5), Ok(()));
    let refused = loose.ensure_may_become(&looser, 5);
    assert_eq!(refused, Err(OracleError::OutOfBounds));
}

/// A change binds what comes: the last round stays what it was, the next one needs what is asked
/// of it now, and the average goes on.
#[test]
fn a_change_binds_the_next_round_and_leaves_the_last_one_alone() {
    let mut clock = Clocked::new(config(), 5);
    for _ in 0..3 {
        clock.round(&[1_000; 3]);
    }
    let before = clock.read();
    let four = FeedConfig {
        min_feeders: 4,
        ..next()
    };
    clock.feed.reconfigure(four).unwrap();
    assert_eq!(clock.read(), before);
    // Three submissions made a round; now four do, two blocks later, inside a band of 5 %.
    clock.block += 1;
    assert_eq!(clock.round(&[1_010; 3]), Outcome::Recorded);
    assert_eq!(accepted(clock.round(&[1_010; 4])), Some(1_010));
    let twap = clock.read().twap.get();
    assert!((1_000..=1_010).contains(&twap), "{twap}");
    assert_eq!(clock.round(&[1_070; 4]), Outcome::Recorded);
    assert_eq!(quarantined(clock.round(&[1_070; 4])), Some(1_070));
    let few = clock.feed.reconfigure(FeedConfig {
        min_feeders: 2,
        ..next()
    });
    assert_eq!(few, Err(OracleError::OutOfBounds));
}
