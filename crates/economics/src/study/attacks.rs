//! The search for profitable attacks, over many markets.

use super::{
    outcome::{Check, Expected, Unit},
    Options, Work,
};
use crate::{
    attack::{search, Target},
    random::Dice,
    statistics::Estimate,
    SimulationError,
};

/// Plans drawn anywhere, and steps uphill from the best of them, for each market.
const DRAWN: u32 = 40;
const STEPS: u32 = 60;

/// Markets searched.
pub(super) fn markets(options: &Options) -> u64 {
    (options.runs / 10).max(20)
}

/// Searches markets drawn anywhere inside the admissible bounds.
pub(super) fn attacks(options: &Options, work: &mut Work<'_>) -> Result<Check, SimulationError> {
    let (mut profitable, mut tried) = (Vec::new(), 0);
    for market in 0..markets(options) {
        // Streams far from those of the random walks and the crash days.
        let mut dice = Dice::new(options.seed, (1 << 50) + market);
        let target = Target::draw(&mut dice);
        if let Some(best) = search(target, &mut dice, DRAWN, STEPS)? {
            profitable.push(f64::from(!best.gain.is_none()));
            tried += best.tried;
        }
        work.done(1);
    }
    Ok(Check::new(
        "Attacks: own position, own bids and the keeper's reward together",
        format!("markets with a profitable plan, of {tried} plans tried"),
        Unit::Cases,
        Expected::Exactly(0.0),
        Estimate::of(profitable),
    ))
}
