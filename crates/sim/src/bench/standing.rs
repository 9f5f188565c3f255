//! What a batch costs by the number of depositors in the tier that buys it.

use super::cost::Cost;
use super::stage::{params, Buying, Run, Stage, QUOTE};
use super::ticks::{positions, Layout};
use super::Watch;
use crate::deployment::StepError;
use breakwater_chain::AccountId;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::standing::StandingBids;
use ink::codegen::TraitCallBuilder;
use serde::Serialize;

/// How many depositors the table is over.
pub const DEPOSITORS: [u32; 4] = [1, 100, 1_000, 10_000];

/// The tier's discount in per cent.
const PERCENT: u8 = 5;

/// One batch bought by a tier of so many depositors.
#[derive(Clone, Debug, Serialize)]
pub struct StandingRow {
    /// Depositors in the tier, with equal stakes.
    pub depositors: u32,
    /// The last of them enters.
    pub stand: Cost,
    /// `open_batch`, which reserves the tier.
    pub open: Cost,
    /// `settle`, which judges, and gives the tier its part.
    pub settle: Cost,
    /// The last of them claims.
    pub claim: Cost,
    /// Whether `open_batch` and `settle` cost what they cost in the first row: proof and deposit to
    /// the unit, time within a ten-thousandth, since balances and block numbers differ.
    pub flat: bool,
}

/// The table over numbers of depositors up to `most`, for a batch over eight ticks.
///
/// # Errors
/// [`StepError`].
pub fn table(most: u32, watch: &mut Watch<'_>) -> Result<Vec<StandingRow>, StepError> {
    let numbers: Vec<u32> = DEPOSITORS.into_iter().filter(|n| *n <= most).collect();
    let work = numbers.last().copied().unwrap_or(0);
    watch.stage("standing depositors", u64::from(work));
    let (positions, price) = positions(Layout::Neighbouring, 8, 3);
    let mut stage = Stage::new(params())?;
    stage.open_positions(positions, &mut Watch::nobody())?;
    let (mut rows, mut first) = (Vec::new(), None::<Run>);
    // Stakes are the same in every row; the money in the tier is much more than is asked for.
    let each = Amount::new(1_000_000 * QUOTE / u128::from(work.max(1)));
    let (mut inside, mut last) = (0, (stage.keeper, Cost::default()));
    for depositors in numbers {
        while inside < depositors {
            last = enter(&mut stage, each)?;
            inside += 1;
            watch.done(1);
            if inside % 64 == 0 {
                stage.advance(1)?;
            }
        }
        let (run, claim) = stage.try_out(|stage| {
            // Whoever is in the tier, it has as much money.
            let rest = u128::from(work - depositors) * each.get();
            if rest > 0 {
                add(stage, last.0, Amount::new(rest))?;
            }
            stage.set_price(price)?;
            let run = stage.liquidate(Buying {
                bids: 0,
                money: Amount::ZERO,
                advance: false,
            })?;
            if run.settlement.raised.is_zero() {
                return Err(StepError::Call {
                    step: "settle",
                    reason: "the tier has bought nothing".to_owned(),
                });
            }
            let d = stage.d;
            let message = d.standing().call_mut().claim_standing(d.market, PERCENT);
            let claim = stage.send(last.0, d.auction, "claim_standing", message)?;
            Ok((run, Cost::of(&claim)))
        })?;
        rows.push(StandingRow {
            depositors,
            stand: last.1,
            open: run.open,
            settle: run.settle,
            claim,
            flat: first
                .as_ref()
                .is_none_or(|first| alike(first.open, run.open) && alike(first.settle, run.settle)),
        });
        first.get_or_insert(run);
    }
    Ok(rows)
}

/// A new depositor with so much in the tier, and what entering cost.
fn enter(stage: &mut Stage, amount: Amount) -> Result<(AccountId, Cost), StepError> {
    let depositor = stage.bidder(amount)?;
    let cost = stand(stage, depositor, amount)?;
    Ok((depositor, cost))
}

/// More money of a depositor.
fn add(stage: &mut Stage, who: AccountId, amount: Amount) -> Result<(), StepError> {
    let d = stage.d;
    stage.fund(who, d.quote, amount, d.auction)?;
    let message = d.auction().call_mut().deposit(d.market, amount);
    stage.send(who, d.auction, "auction.deposit", message)?;
    stand(stage, who, amount)?;
    Ok(())
}

fn stand(stage: &mut Stage, who: AccountId, amount: Amount) -> Result<Cost, StepError> {
    let d = stage.d;
    let message = d.standing().call_mut().stand(d.market, PERCENT, amount);
    let receipt = stage.send(who, d.auction, "stand", message)?;
    Ok(Cost::of(&receipt))
}

/// Whether two messages cost the same but for the digits of balances and block numbers. Fees rise
/// and fall with the chain's load.
fn alike(a: Cost, b: Cost) -> bool {
    let apart = a.ref_time.abs_diff(b.ref_time).saturating_mul(1_000);
    // Larger sums have longer numbers: a few bytes of deposit, and none of proof.
    let bytes = a.deposit.abs_diff(b.deposit).saturating_mul(100);
    apart <= a.ref_time && bytes <= a.deposit.unsigned_abs() && a.proof_size == b.proof_size
}
