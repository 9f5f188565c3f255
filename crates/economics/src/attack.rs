//! A search for profit: own positions in the batch, own bids at several steps, and the keeper's
//! reward for opening and settling, together.
//!
//! The honest side is given as strong as promise 2 needs it and no stronger: somebody else has the
//! money for the whole lot and pays the fair price, which is the price of one step of the ladder.
//! Then buying at that step is worth nothing to anybody, and whatever an attacker gains he gains
//! by the combination.
//!
//! Two honest courses are open to the attacker, and he still opens and settles what is due in
//! both: to keep out, without a position in the batch and without bids, or to let his position be
//! sold without bidding. What a plan gains is counted over the better of them. The second course
//! must itself not be worth choosing: wherever a position can pay its penalty at the fair price,
//! liquidating it by oneself must cost more than the reward it brings. (A position that cannot
//! brings its keeper the usual reward out of the penalties of others, whoever owns it.)
//!
//! A position counts as its collateral at the fair price less its debt, and as nothing where that
//! is negative, since its owner can walk away.

use crate::{
    clock::Clock,
    market::{
        collateral, price, quote, standard_terms, whole_collateral, whole_price, whole_quote,
        Market,
    },
    random::Dice,
    SimulationError,
};
use breakwater_core::{
    ladder::{Curve, LadderParams},
    ledger::LedgerError,
    market::MarketParams,
    units::{Amount, Block, Price, Ratio},
};

/// The oracle price of every market that is attacked.
const ORACLE: f64 = 100.0;
const OPENED_IN: Block = 100;
const ATTACKER: usize = 0;
const HONEST: usize = 1;

/// A market to attack.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its terms.
    pub params: MarketParams,
    /// Other positions that are due: collateral, and debt, in whole tokens.
    pub others: Vec<(f64, f64)>,
    /// The step whose price is the fair price.
    pub fair_step: u8,
    /// Money of the honest side, as a multiple of what the batch asks for; at least 1.
    pub cover: f64,
    /// What the batch may ask for at most, as deposits allow, quote.
    pub most: f64,
}

/// What an attacker does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// His position that is due, if he has one: collateral and health at the oracle price.
    pub position: Option<(f64, f64)>,
    /// His bids: step, and money as a part of what the batch asks for.
    pub bids: Vec<(u8, f64)>,
}

/// What a plan came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Gain over the better honest course, quote.
    pub plan: f64,
    /// Gain of letting the own position be sold over keeping out, quote; `None` without a
    /// position or where it cannot pay its penalty at the fair price.
    pub own_liquidation: Option<f64>,
    /// What rounding may account for: a millionth of a quote token for every number rounded.
    pub rounding: f64,
}

impl Gain {
    /// Whether there is no profit in it.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.height() <= self.rounding
    }

    /// What the search climbs: whichever of the two gains is larger.
    fn height(&self) -> f64 {
        self.own_liquidation
            .map_or(self.plan, |own| own.max(self.plan))
    }
}

impl Target {
    /// A market with terms and other positions drawn anywhere inside the admissible bounds.
    ///
    /// The penalty is at least 0.2 %: members of one tick share its gains and losses although
    /// their ratios differ by up to 0.1 %, and that width must not be worth more than the penalty.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        let params = loop {
            let drawn = terms(dice);
            if drawn.validate().is_ok() {
                break drawn;
            }
        };
        let threshold = params.liquidation_threshold.ppm() as f64 / 1e6;
        let others = (0..dice.whole(6))
            .map(|_| {
                let held = dice.between(1.0, 1_000.0);
                let health = dice.between(0.80, 0.998);
                (held, held * ORACLE * threshold / health)
            })
            .collect();
        let steps = match params.ladder.curve {
            Curve::Linear { steps } => steps,
            _ => 64,
        };
        let last = steps.saturating_sub(1);
        Self {
            params,
            others,
            fair_step: dice.whole(u32::from(last)) as u8,
            cover: dice.between(1.0, 3.0),
            most: if dice.unit() < 0.3 {
                dice.between(100.0, 50_000.0)
            } else {
                1e12
            },
        }
    }

    /// What a plan gains; `None` where the attacker's position is not admissible or nothing can be
    /// opened.
    ///
    /// # Errors
    /// [`SimulationError`] where a rule refuses what it must not.
    pub fn gain(&self, plan: &Plan) -> Result<Option<Gain>, SimulationError> {
        let threshold = self.params.liquidation_threshold.ppm() as f64 / 1e6;
        let own = plan
            .position
            .map(|(held, health)| (held, held * ORACLE * threshold / health));
        let (Some(attacked), Some(sold)) = (self.play(own, &plan.bids)?, self.play(own, &[])?)
        else {
            return Ok(None);
        };
        let reward_alone = self.play(None, &[])?.map_or(0.0, |world| world.reward);
        let penalty = self.params.penalty.ppm() as f64 / 1e6;
        let (mut equity, mut pays_penalty) = (0.0, false);
        if let Some((held, debt)) = own {
            let worth = whole_collateral(collateral(held)) * attacked.fair;
            let debt = whole_quote(quote(debt));
            equity = (worth - debt).max(0.0);
            pays_penalty = worth >= debt * (1.0 + penalty);
        }
        let kept_out = equity + reward_alone;
        let let_go = sold.wealth();
        let numbers = 16 + plan.bids.len() + self.others.len();
        Ok(Some(Gain {
            plan: attacked.wealth() - kept_out.max(let_go),
            own_liquidation: pays_penalty.then_some(let_go - kept_out),
            rounding: numbers as f64 * 1e-6,
        }))
    }

    /// Lives through one batch; `None` where none opens.
    fn play(
        &self,
        own: Option<(f64, f64)>,
        bids: &[(u8, f64)],
    ) -> Result<Option<World>, SimulationError> {
        let mut market = Market::new(self.params.clone())?;
        let high = price(ORACLE * 10.0);
        let mut mine = None;
        for (held, debt) in self.others.iter().copied() {
            market.open_position(collateral(held), quote(debt), high)?;
        }
        if let Some((held, debt)) = own {
            match market.open_position(collateral(held), quote(debt), high) {
                Ok(number) => mine = Some(number),
                Err(SimulationError::Ledger(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let opening = match market.open_batch(price(ORACLE), OPENED_IN, quote(self.most)) {
            Ok(opening) => opening,
            Err(SimulationError::Ledger(LedgerError::NothingToLiquidate)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut clock = Clock::start(&opening, &self.params, market.scale(), OPENED_IN)?;
        let asked = whole_quote(clock.targets().first().copied().unwrap_or_default());
        let step_price = |clock: &Clock, step: u8| {
            let at = usize::from(step).min(clock.prices().len().saturating_sub(1));
            clock.prices().get(at).copied().unwrap_or(Price::ZERO)
        };
        let fair = step_price(&clock, self.fair_step);
        for (step, part) in bids {
            let limit = step_price(&clock, *step);
            // Too small a bid is refused: then there is one less.
            let _ = clock.bid(ATTACKER, quote(asked * part), limit, OPENED_IN);
        }
        // A unit more than all that is asked covers it whatever was rounded.
        let honest = quote(asked * self.cover).plus(Amount::new(1_001))?;
        clock.bid(HONEST, honest, fair, OPENED_IN)?;

        let last = clock.prices().len().saturating_sub(1);
        let end = clock.last_block_of(u8::try_from(last).unwrap_or(u8::MAX)) + 1;
        let ended = clock.finish(end)?;
        let clearing = ended.clearing;
        let settled = market.settle(opening.number, clearing.price, clearing.raised, end)?;

        let fair_price = whole_price(fair);
        let bought = ended
            .fills
            .iter()
            .filter(|(bid, _)| bid.bidder == ATTACKER)
            .map(|(_, fill)| whole_collateral(fill.received) * fair_price - whole_quote(fill.spent))
            .sum();
        let position = match mine {
            Some(number) => {
                let left = market.view(number, fair)?;
                (whole_collateral(left.collateral) * fair_price - whole_quote(left.debt)).max(0.0)
            }
            None => 0.0,
        };
        Ok(Some(World {
            fair: fair_price,
            position,
            bought,
            reward: whole_quote(settled.waterfall.reward),
        }))
    }
}

/// What the attacker has at the end.
struct World {
    fair: f64,
    position: f64,
    bought: f64,
    reward: f64,
}

impl World {
    fn wealth(&self) -> f64 {
        self.position + self.bought + self.reward
    }
}

/// Terms anywhere, admissible or not.
fn terms(dice: &mut Dice) -> MarketParams {
    let ppm =
        |dice: &mut Dice, low: f64, high: f64| Ratio::from_ppm(dice.between(low, high) as u32);
    let blocks_per_step = 1 + dice.whole(1) as u8;
    let standard = LadderParams::standard();
    let ladder = if dice.unit() < 0.5 {
        LadderParams {
            blocks_per_step,
            ..standard
        }
    } else {
        LadderParams {
            start: ppm(dice, 1_010_000.0, 1_100_000.0),
            floor: ppm(dice, 800_000.0, 950_000.0),
            curve: Curve::Linear {
                steps: 2 + dice.whole(62) as u8,
            },
            blocks_per_step,
            ..standard
        }
    };
    let threshold = dice.between(500_000.0, 930_000.0);
    MarketParams {
        initial_ltv: Ratio::from_ppm((threshold * 0.95) as u32),
        liquidation_threshold: Ratio::from_ppm(threshold as u32),
        penalty: ppm(dice, 2_000.0, 300_000.0),
        target_health: ppm(dice, 1_001_000.0, 1_500_000.0),
        full_close_health: ppm(dice, 800_000.0, 990_000.0),
        ramp_width: ppm(dice, 1_000.0, 100_000.0),
        slippage: ppm(dice, 0.0, 200_000.0),
        keeper_tip: quote(dice.between(0.0, 500.0)),
        keeper_share: ppm(dice, 0.0, 100_000.0),
        min_batch: Amount::new(1_000_000),
        ladder,
        ..standard_terms()
    }
}

impl Plan {
    /// Any plan.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        let position =
            (dice.unit() < 0.8).then(|| (dice.between(1.0, 2_000.0), dice.between(0.70, 0.998)));
        let bids = (0..dice.whole(3))
            .map(|_| (dice.whole(63) as u8, dice.between(0.0, 1.5)))
            .collect();
        Self { position, bids }
    }

    /// A plan like this one, changed in one place.
    #[must_use]
    pub fn varied(&self, dice: &mut Dice) -> Self {
        let mut plan = self.clone();
        match dice.whole(3) {
            0 => plan.position = Self::draw(dice).position,
            1 => {
                if let Some((held, health)) = &mut plan.position {
                    *held = (*held * dice.between(0.5, 2.0)).max(1.0);
                    *health = (*health + dice.between(-0.02, 0.02)).clamp(0.6, 0.998);
                }
            }
            2 => {
                if plan.bids.len() < 4 {
                    plan.bids
                        .push((dice.whole(63) as u8, dice.between(0.0, 1.5)));
                } else {
                    plan.bids.remove(0);
                }
            }
            _ => {
                for (step, part) in &mut plan.bids {
                    let moved = i32::from(*step) + dice.whole(4) as i32 - 2;
                    *step = moved.clamp(0, 63) as u8;
                    *part *= dice.between(0.3, 1.7);
                }
            }
        }
        plan
    }
}

/// The best plan that a search found.
#[derive(Clone, Debug)]
pub struct Best {
    /// The market it was tried on.
    pub target: Target,
    /// The plan.
    pub plan: Plan,
    /// What it gains.
    pub gain: Gain,
    /// Plans tried on that market.
    pub tried: u32,
}

/// Searches one market: plans drawn anywhere, and from the best of them uphill in small steps.
/// Keeping out, which gains nothing, is not among them.
///
/// # Errors
/// [`SimulationError`] where a rule refuses what it must not.
pub fn search(
    target: Target,
    dice: &mut Dice,
    drawn: u32,
    steps: u32,
) -> Result<Option<Best>, SimulationError> {
    let mut best: Option<(Plan, Gain)> = None;
    let mut tried = 0;
    for attempt in 0..drawn + steps {
        let plan = match &best {
            Some((plan, _)) if attempt >= drawn => plan.varied(dice),
            _ => Plan::draw(dice),
        };
        if plan.position.is_none() && plan.bids.is_empty() {
            continue;
        }
        let Some(gain) = target.gain(&plan)? else {
            continue;
        };
        tried += 1;
        if best
            .as_ref()
            .is_none_or(|(_, found)| gain.height() > found.height())
        {
            best = Some((plan, gain));
        }
    }
    Ok(best.map(|(plan, gain)| Best {
        target,
        plan,
        gain,
        tried,
    }))
}
