//! Two years of candles through the oracle's guards and the breaker's price triggers: how often
//! each band quarantines and trips, how often for nothing, and which bad days it misses.

use crate::prices::{Candle, PricePath};
use breakwater_core::breaker::{Breaker, Cause, Limits, Measures, Stage};
pub use breakwater_core::oracle::OracleError;
use breakwater_core::oracle::{is_within, Feed, FeedConfig, Outcome, Submission};
use breakwater_core::units::{Amount, Block, Millis, Price, Ratio};
use serde::Serialize;

/// Bands that are compared, basis points.
pub const BANDS_BPS: [u32; 8] = [300, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 5_000];

/// Days of which the breaker should miss none.
pub const WORST_DAYS: usize = 10;

const DAY: u64 = 86_400;
const BLOCK_MILLIS: Millis = 6_000;
const FEEDERS: u8 = 3;

/// Feeders differ from the market by this much, up, down and not at all: millionths.
const FEEDER_SPREAD_PPM: u128 = 300;

/// What a deviation band does to a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedRow {
    /// The band, basis points; the band around the average is five thirds of it.
    pub band_bps: u32,
    /// Rounds accepted.
    pub accepted: u32,
    /// Medians put into quarantine.
    pub quarantined: u32,
    /// Of them, confirmed by the next round.
    pub confirmed: u32,
    /// Of them, lifted because the next round was back in the band.
    pub lifted: u32,
    /// Of them, replaced by another median outside the band.
    pub replaced: u32,
}

/// What a limit for jumps does to the breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreakerRow {
    /// The limit, basis points.
    pub band_bps: u32,
    /// Trips for a jump.
    pub jump: u32,
    /// Of them, false: the price was back inside the band around the price before within a day.
    pub false_jumps: u32,
    /// Trips for a stale feed.
    pub stale: u32,
    /// Trips for dispersed submissions.
    pub dispersed: u32,
    /// The worst days, by fall from open to low, on which nothing tripped for a jump.
    pub missed: u32,
    /// Time in a stage above open, minutes.
    pub closed_minutes: u64,
}

/// A whole replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OracleReplay {
    /// Name of the price path.
    pub name: String,
    /// Candles replayed; each is four rounds: open, both extremes, close.
    pub candles: usize,
    /// How many worst days were looked for.
    pub worst_days: usize,
    /// One row a band.
    pub feed: Vec<FeedRow>,
    /// One row a limit, with the feed's default bands.
    pub breaker: Vec<BreakerRow>,
}

/// A price at a time.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// UTC seconds since 1970.
    pub time: u64,
    /// Price scaled by 10^18.
    pub price: u128,
}

/// Four prices of a candle, a quarter of its length apart: the open, the extreme it left for
/// first, the other one, the close.
#[must_use]
pub fn points(candle: &Candle, interval: u64) -> [Point; 4] {
    let (first, second) = if candle.close < candle.open {
        (candle.high, candle.low)
    } else {
        (candle.low, candle.high)
    };
    let prices = [candle.open, first, second, candle.close];
    let mut quarter = 0;
    prices.map(|price| {
        let time = candle.open_time + interval * quarter / 4;
        quarter += 1;
        Point { time, price }
    })
}

/// The prices of a whole path, four of each candle.
#[must_use]
pub fn points_of(path: &PricePath) -> Vec<Point> {
    let candles = path.candles.iter();
    candles
        .flat_map(|candle| points(candle, path.interval_seconds))
        .collect()
}

/// A feed with three feeders on the clock of a price path.
#[derive(Clone, Debug)]
pub struct Fed {
    /// The feed.
    pub feed: Feed<u8>,
}

impl Fed {
    /// Three feeders, all needed, with these bands around the last price and the average.
    ///
    /// # Errors
    /// [`OracleError::InvalidConfig`] where a band is zero.
    pub fn new(deviation: Ratio, drift: Ratio) -> Result<Self, OracleError> {
        let standard = FeedConfig::standard(FEEDERS, 900_000, 1, 1_800_000);
        let mut feed = Feed::new(FeedConfig {
            deviation,
            drift,
            ..standard
        })?;
        for feeder in 0..FEEDERS {
            feed.add_feeder(feeder)?;
        }
        Ok(Self { feed })
    }

    /// Has each feeder submit its price and returns what came of the round.
    ///
    /// # Errors
    /// Those of [`Feed::submit`].
    pub fn submit(&mut self, time: u64, prices: [u128; 3]) -> Result<Outcome, OracleError> {
        let at = time * 1_000;
        let mut outcome = Outcome::Recorded;
        for (feeder, price) in (0..FEEDERS).zip(prices) {
            let price = Price::new(price);
            outcome = self
                .feed
                .submit(&feeder, Submission { price, at }, at, block(time))?;
        }
        Ok(outcome)
    }

    pub(super) fn follow(&mut self, point: Point) -> Result<Outcome, OracleError> {
        let part = point.price / 1_000_000 * FEEDER_SPREAD_PPM;
        self.submit(
            point.time,
            [point.price - part, point.price, point.price + part],
        )
    }
}

fn block(time: u64) -> Block {
    // Blocks of the path, not of a chain: only differences count.
    Block::try_from(time * 1_000 / BLOCK_MILLIS).unwrap_or(Block::MAX)
}

/// Replays a path through every band.
///
/// # Errors
/// [`OracleError`] where the path holds a price that a feed refuses.
pub fn replay(path: &PricePath) -> Result<OracleReplay, OracleError> {
    let points = points_of(path);
    let worst = worst_days(&path.candles);
    Ok(OracleReplay {
        name: path.name.clone(),
        candles: path.candles.len(),
        worst_days: worst.len(),
        feed: BANDS_BPS
            .iter()
            .map(|band| feed_row(&points, *band))
            .collect::<Result<_, _>>()?,
        breaker: BANDS_BPS
            .iter()
            .map(|band| breaker_row(&points, *band, &worst))
            .collect::<Result<_, _>>()?,
    })
}

fn feed_row(points: &[Point], band_bps: u32) -> Result<FeedRow, OracleError> {
    let mut fed = Fed::new(Ratio::from_bps(band_bps), Ratio::from_bps(band_bps * 5 / 3))?;
    let mut row = FeedRow {
        band_bps,
        accepted: 0,
        quarantined: 0,
        confirmed: 0,
        lifted: 0,
        replaced: 0,
    };
    for point in points {
        let waiting = fed.feed.quarantine.map(|q| q.price);
        match fed.follow(*point)? {
            Outcome::Recorded => {}
            Outcome::Accepted(round) => {
                row.accepted += 1;
                if let Some(waiting) = waiting {
                    let near = is_within(round.price, waiting, fed.feed.config.deviation);
                    row.confirmed += u32::from(near);
                    row.lifted += u32::from(!near);
                }
            }
            Outcome::Quarantined(_) => {
                row.quarantined += 1;
                row.replaced += u32::from(waiting.is_some());
            }
        }
    }
    Ok(row)
}

fn breaker_row(points: &[Point], band_bps: u32, worst: &[u64]) -> Result<BreakerRow, OracleError> {
    let standard = FeedConfig::standard(FEEDERS, 1, 1, 1);
    let mut fed = Fed::new(standard.deviation, standard.drift)?;
    let band = Ratio::from_bps(band_bps);
    let limits = Limits {
        jump: band,
        ..Limits::standard(Amount::new(1_000_000))
    };
    let mut breaker = Breaker::default();
    let mut row = BreakerRow {
        band_bps,
        jump: 0,
        false_jumps: 0,
        stale: 0,
        dispersed: 0,
        missed: 0,
        closed_minutes: 0,
    };
    let mut days = Vec::new();
    let mut last: Option<Point> = None;
    for (nth, point) in points.iter().enumerate() {
        let now = block(point.time);
        // Whoever watches sees the age of the last round just before the next.
        if let Ok(reading) = fed.feed.read(point.time * 1_000) {
            let measures = Measures::default().with_oracle(&reading);
            let tripped = breaker.trip(Cause::Stale, &limits, &measures, now);
            row.stale += u32::from(tripped.is_ok());
        }
        fed.follow(*point)?;
        let reading = fed.feed.read(point.time * 1_000)?;
        let measures = Measures::default().with_oracle(&reading);
        if let Some(last) = last.filter(|_| breaker.stage > Stage::Open) {
            row.closed_minutes += (point.time - last.time) / 60;
        }
        let mut trip = |cause| breaker.trip(cause, &limits, &measures, now).is_ok();
        row.dispersed += u32::from(trip(Cause::Dispersed));
        if trip(Cause::Jump) {
            row.jump += 1;
            days.push(point.time / DAY);
            let before = last.map_or(point.price, |last| last.price);
            let back = points[nth..]
                .iter()
                .take_while(|later| later.time <= point.time + DAY)
                .skip(1)
                .any(|later| is_within(Price::new(later.price), Price::new(before), band));
            row.false_jumps += u32::from(back);
        }
        let _ = breaker.reopen(&limits, &measures, now);
        last = Some(*point);
    }
    let missed = worst.iter().filter(|day| !days.contains(day)).count();
    row.missed = u32::try_from(missed).unwrap_or(u32::MAX);
    Ok(row)
}

/// The days with the deepest fall from their open to their low, as days since 1970.
fn worst_days(candles: &[Candle]) -> Vec<u64> {
    let mut days: Vec<(u64, u128, u128)> = Vec::new();
    for candle in candles {
        let day = candle.open_time / DAY;
        match days.last_mut() {
            Some((last, _, low)) if *last == day => *low = (*low).min(candle.low),
            _ => days.push((day, candle.open, candle.low)),
        }
    }
    // Low over open, in parts of 10^9: small is bad.
    days.sort_by_key(|(_, open, low)| low / (open / 1_000_000_000).max(1));
    days.truncate(WORST_DAYS);
    days.into_iter().map(|(day, _, _)| day).collect()
}
