//! Two years of candles through the margin that follows volatility: how often it answers, what it
//! asks for at most, and what it saves lenders; and how far prices fall while a sale goes on.

use super::oracle::{points_of, Fed, OracleError, Point};
use crate::prices::PricePath;
use breakwater_core::margin::{Margin, MarginRule};
use breakwater_core::oracle::FeedConfig;
use breakwater_core::units::{Millis, Ratio};
use serde::Serialize;

/// Daily volatilities up to which nothing is added, basis points; the last is never reached: the
/// margin of calm times alone.
pub const REFERENCES_BPS: [u32; 6] = [400, 600, 800, 1_000, 1_200, 100_000];

/// Horizons over which falls are measured, in quarters of a candle.
const HORIZONS: [usize; 4] = [1, 4, 8, 16];

/// The market of the replay: borrowing up to 75 %, liquidation above 80 %, as in the examples.
const INITIAL_LTV: Ratio = Ratio::from_bps(7_500);
const THRESHOLD: Ratio = Ratio::from_bps(8_000);

/// A sale brings this part of the price of the round after the one that made it due.
const SOLD_AT_PPM: u128 = 970_000;

/// A loan that nothing has happened to is repaid after so many points: thirty days of hours.
const LIFE: usize = 4 * 24 * 30;

/// One loan is taken at every so many points, at the most that may be borrowed: every six hours.
const EVERY: usize = 4 * 6;

const ONE: u128 = 1_000_000;

/// What one reference volatility does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarginRow {
    /// Daily volatility up to which nothing is added, basis points.
    pub reference_bps: u32,
    /// Part of the time in which open positions were asked for more than in calm times, basis
    /// points of it.
    pub raised_bps: u32,
    /// Rises announced.
    pub announced: u32,
    /// The highest margin that was asked of open positions, basis points.
    pub highest_bps: u32,
    /// Loans that were liquidated, of all that were taken.
    pub liquidated: u32,
    /// All of them.
    pub loans: u32,
    /// Debt that their sales left, millionths of all that was lent.
    pub bad_debt_ppm: u64,
}

/// How far prices fell over a horizon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FallRow {
    /// The horizon, minutes.
    pub minutes: u64,
    /// Falls that were exceeded in one of a hundred, of a thousand and of ten thousand cases,
    /// basis points.
    pub exceeded_bps: [u32; 3],
}

/// A whole replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarginReplay {
    /// Name of the price path.
    pub name: String,
    /// Candles replayed; each is four rounds.
    pub candles: usize,
    /// One row a reference.
    pub margin: Vec<MarginRow>,
    /// One row a horizon.
    pub falls: Vec<FallRow>,
}

/// Replays a path through every reference volatility.
///
/// # Errors
/// [`OracleError`] where the path holds a price that a feed refuses.
pub fn replay(path: &PricePath) -> Result<MarginReplay, OracleError> {
    let interval = path.interval_seconds;
    let points = points_of(path);
    Ok(MarginReplay {
        name: path.name.clone(),
        candles: path.candles.len(),
        margin: REFERENCES_BPS
            .iter()
            .map(|reference| margin_row(&points, *reference))
            .collect::<Result<_, _>>()?,
        falls: HORIZONS
            .iter()
            .map(|quarters| fall_row(&points, *quarters, interval))
            .collect(),
    })
}

/// A loan of one unit of quote.
struct Loan {
    taken: usize,
    price: u128,
    ltv: Ratio,
}

impl Loan {
    /// Collateral value at a price, millionths of the debt.
    fn cover(&self, price: u128) -> u128 {
        price / ONE * ONE / (self.price / ONE).max(1) * ONE / self.ltv.ppm().max(1)
    }
}

fn margin_row(points: &[Point], reference_bps: u32) -> Result<MarginRow, OracleError> {
    let standard = FeedConfig::standard(3, 1, 1, 1);
    let mut fed = Fed::new(standard.deviation, standard.drift)?;
    let rule = MarginRule {
        reference: Ratio::from_bps(reference_bps),
        ..MarginRule::STANDARD
    };
    let base = Ratio::ONE.minus(THRESHOLD)?;
    let mut margin = Margin::default();
    let mut row = MarginRow {
        reference_bps,
        raised_bps: 0,
        announced: 0,
        highest_bps: 0,
        liquidated: 0,
        loans: 0,
        bad_debt_ppm: 0,
    };
    let (mut raised, mut highest, mut lost) = (0usize, Ratio::ZERO, 0u128);
    let mut loans: Vec<Loan> = Vec::new();
    let mut due: Vec<Loan> = Vec::new();
    for (nth, point) in points.iter().enumerate() {
        fed.follow(*point)?;
        let now: Millis = point.time * 1_000;
        let reading = fed.feed.read(now)?;
        let spot = reading.spot().get();
        // What became due a round ago is sold at the prices of now.
        for loan in due.drain(..) {
            let raised = loan.cover(spot) * SOLD_AT_PPM / ONE;
            lost += ONE.saturating_sub(raised);
        }
        let waiting = margin.announced(now);
        if margin.update(&rule, base, reading.volatility, now).is_ok() {
            row.announced += u32::from(waiting.is_none() && margin.announced(now).is_some());
        }
        let added = margin.kept_at(&rule, now);
        raised += usize::from(added > Ratio::ZERO);
        highest = highest.max(added);
        let threshold = THRESHOLD.minus(added)?;
        let unhealthy = |loan: &Loan| loan.cover(spot) * threshold.ppm() < ONE * ONE;
        due = loans.extract_if(.., |loan| unhealthy(loan)).collect();
        row.liquidated += u32::try_from(due.len()).unwrap_or(u32::MAX);
        loans.retain(|loan| nth - loan.taken < LIFE);
        if nth % EVERY == 0 {
            let added = margin.for_new_risk(&rule, base, reading.volatility);
            loans.push(Loan {
                taken: nth,
                price: spot,
                ltv: INITIAL_LTV.minus(added)?,
            });
            row.loans += 1;
        }
    }
    let count = u128::try_from(points.len().max(1)).unwrap_or(1);
    row.raised_bps = bps_of(u128::try_from(raised).unwrap_or(0), count);
    row.highest_bps = bps_of(base.plus(highest)?.ppm(), ONE);
    row.bad_debt_ppm = u64::try_from(lost / u128::from(row.loans.max(1))).unwrap_or(u64::MAX);
    Ok(row)
}

fn bps_of(part: u128, whole: u128) -> u32 {
    u32::try_from(part * 10_000 / whole.max(1)).unwrap_or(u32::MAX)
}

/// Falls to the lowest price within a horizon, over all moments.
fn fall_row(points: &[Point], quarters: usize, interval: u64) -> FallRow {
    let mut falls: Vec<u32> = points
        .windows(quarters + 1)
        .map(|window| {
            let from = window[0].price;
            let low = window.iter().map(|point| point.price).min().unwrap_or(from);
            bps_of(from - low, from)
        })
        .collect();
    falls.sort_unstable();
    let exceeded = |part: usize| {
        let at = falls.len().saturating_sub(1 + falls.len() / part);
        falls.get(at).copied().unwrap_or_default()
    };
    FallRow {
        minutes: interval * u64::try_from(quarters).unwrap_or(1) / 4 / 60,
        exceeded_bps: [exceeded(100), exceeded(1_000), exceeded(10_000)],
    }
}
