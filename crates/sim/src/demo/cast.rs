//! Who takes part, and the terms of the market they meet in.

use breakwater_core::interest::InterestCurve;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::tick;
use breakwater_core::units::{Amount, DebtRatio, Price, Ratio, UnitScale};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Decimals of the collateral token.
pub const COLLATERAL_DECIMALS: u8 = 18;
/// Decimals of the quote token.
pub const QUOTE_DECIMALS: u8 = 6;

/// Levels of indebtedness that positions are spread over, evenly: the cost of a batch depends on
/// these, not on how many positions share one.
pub const LEVELS: u32 = 64;

/// Indices of accounts on the embedded chain.
pub mod account {
    /// Deploys and governs.
    pub const GOVERNOR: u32 = 0;
    /// Three feeders from here.
    pub const FEEDERS: u32 = 1;
    /// Opens, clears, settles and rests batches.
    pub const KEEPER: u32 = 4;
    /// Supplies the quote.
    pub const LENDER: u32 = 5;
    /// Five bidders from here.
    pub const BIDDERS: u32 = 6;
    /// Owners of positions from here.
    pub const OWNERS: u32 = 20;
}

/// A position to be opened.
pub struct Plan {
    /// Collateral, base units.
    pub collateral: Amount,
    /// Debt, quote units.
    pub debt: Amount,
    /// Lower bound of the tick it enters.
    pub bound: DebtRatio,
}

/// A bidder's character.
pub struct Bidder {
    /// For people.
    pub name: &'static str,
    /// What it wants to earn: it values collateral this much under the market, in ppm.
    pub hurdle: Ratio,
    /// Share of what a batch asks for that it is ready to pay.
    pub appetite: Ratio,
    /// Blocks between what it sees and what it does.
    pub latency: u32,
}

/// What a stream of randomness is for.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// Bidders' characters.
    Bidders,
    /// Sizes of positions.
    Positions,
    /// Differences between feeders.
    Feeders,
}

/// Randomness of one run; integers only, so that every machine draws the same.
pub struct Dice(ChaCha12Rng);

impl Dice {
    /// From the run's seed; each purpose draws from a stream of its own, so that the number of
    /// positions does not change what feeders and bidders draw.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(purpose as u64);
        Self(rng)
    }

    /// A number from `low` to `high`, both included; slightly uneven, which is no matter here.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next_u64() % (high - low + 1)
    }
}

/// Five bidders with different valuations, in the order they were drawn.
pub fn bidders(dice: &mut Dice) -> Vec<Bidder> {
    // (name, hurdle in ppm, appetite in bps): from a market maker to a bargain hunter.
    let characters = [
        ("Aster", 1_500, 3_500),
        ("Birch", 3_000, 4_500),
        ("Cedar", 6_000, 5_000),
        ("Dogwood", 12_000, 6_000),
        ("Elder", 30_000, 8_000),
    ];
    characters
        .into_iter()
        .map(|(name, hurdle, appetite)| Bidder {
            name,
            hurdle: Ratio::from_ppm(hurdle + u32::try_from(dice.between(0, 800)).unwrap_or(0)),
            appetite: Ratio::from_bps(appetite),
            latency: u32::try_from(dice.between(0, 2)).unwrap_or(0),
        })
        .collect()
}

/// Collateral of all positions of one level, base units: the market is the same whether a few
/// hundred people hold it or many thousands.
const LEVEL_COLLATERAL: u128 = 1_500_000_000_000_000_000_000;

/// All positions of a market at its entry price; `None` where that price is out of range.
///
/// Debt is 40 % to 74 % of the collateral's value, in [`LEVELS`] geometric steps, a position's
/// level following from its number. Within a level sizes differ by up to three to one. The debt
/// ratio is put in the middle of its tick, so that sizes never decide which tick is entered.
pub fn positions(count: u32, entry: Price, scale: UnitScale, dice: &mut Dice) -> Option<Vec<Plan>> {
    let weights: Vec<(u32, u128)> = (0..count)
        .map(|nth| (nth % LEVELS, u128::from(dice.between(500, 1_500))))
        .collect();
    let mut sums = [0u128; LEVELS as usize];
    for (level, weight) in &weights {
        *sums.get_mut(usize::try_from(*level).ok()?)? += weight;
    }
    let mut ltv = 400_000_000_000u128;
    let mut bounds = Vec::new();
    for _ in 0..LEVELS {
        let ratio = entry.get().checked_mul(ltv)? / 1_000_000_000_000;
        let tick = tick::at_or_below(DebtRatio::new(ratio));
        if tick == tick::LOWEST_TICK {
            return None;
        }
        bounds.push(tick::bound(tick));
        // (0.74 / 0.40)^(1/63) = 1.009812
        ltv = ltv * 1_009_812 / 1_000_000;
    }
    weights
        .into_iter()
        .map(|(level, weight)| {
            let level = usize::try_from(level).ok()?;
            let bound = *bounds.get(level)?;
            let collateral = Amount::new(LEVEL_COLLATERAL * weight / sums.get(level)?);
            let middle = bound.mul_div(1_000_500, 1_000_000, Rounding::Down).ok()?;
            // At an index of one a ratio is what one whole collateral owes.
            let owed = Price::new(middle.get());
            let debt = scale.value(collateral, owed, Rounding::Down).ok()?;
            Some(Plan {
                collateral,
                debt,
                bound,
            })
        })
        .collect()
}

/// The market: defaults, with sizes that suit the debt it will carry.
pub fn params(total_debt: Amount) -> MarketParams {
    let part = |numerator: u128, denominator: u128| {
        Amount::new((total_debt.get() / denominator).max(1) * numerator)
    };
    MarketParams {
        collateral_decimals: COLLATERAL_DECIMALS,
        quote_decimals: QUOTE_DECIMALS,
        min_debt: Amount::new(1_000_000),
        interest: InterestCurve::STANDARD,
        debt_ceiling: part(4, 1),
        supply_cap: part(8, 1),
        hole: part(1, 1),
        min_batch: part(1, 1_000),
        ..example_params()
    }
}
