//! Who takes part, and the terms of the market they meet in.

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

/// Randomness of one run; integers only, so that every machine draws the same.
pub struct Dice(ChaCha12Rng);

impl Dice {
    /// From the run's seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
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

/// The n-th position at the entry price: its level of debt by its number, its size by the dice.
///
/// Debt is 40 % to 74 % of the collateral's value, in [`LEVELS`] geometric steps; the ratio is put
/// in the middle of its tick, so that sizes never decide which tick a position enters.
pub fn position(nth: u32, entry: Price, scale: UnitScale, dice: &mut Dice) -> Option<Plan> {
    let collateral = Amount::new(u128::from(dice.between(20, 200)) * 100_000_000_000_000_000);
    let level = u128::from(nth % LEVELS);
    // From 0.40 up by 64 equal factors to 0.74: (0.74/0.40)^(1/63) = 1.00981.
    let mut ltv = 400_000_000_000u128;
    for _ in 0..level {
        ltv = ltv * 1_009_812 / 1_000_000;
    }
    let ratio = DebtRatio::new(entry.get().checked_mul(ltv)? / 1_000_000_000_000);
    let middle =
        tick::bound(tick::at_or_below(ratio)).mul_div(1_000_500, 1_000_000, Rounding::Down);
    let price = Price::new(middle.ok()?.get());
    let debt = scale.value(collateral, price, Rounding::Down).ok()?;
    Some(Plan { collateral, debt })
}

/// The market: defaults, with sizes that suit the debt it will carry.
pub fn params(total_debt: Amount) -> MarketParams {
    let part = |numerator: u128, denominator: u128| {
        Amount::new((total_debt.get() / denominator).max(1) * numerator)
    };
    MarketParams {
        collateral_decimals: COLLATERAL_DECIMALS,
        quote_decimals: QUOTE_DECIMALS,
        min_debt: Amount::new(50_000_000),
        debt_ceiling: part(4, 1),
        supply_cap: part(8, 1),
        hole: part(1, 1),
        min_batch: part(1, 1_000),
        ..example_params()
    }
}
