//! A made-up run of a crash day, with all the shapes that a report must show.

use breakwater_sim::{
    outcome::*,
    prices::{march_2020, PRICE_SCALE},
};

const ETH: u128 = PRICE_SCALE;
const USD: u128 = 1_000_000;
const BLOCK: u64 = 6;
const STEPS: u32 = 64;

const NAMES: [&str; 12] = [
    "Harbour Desk",
    "Ada",
    "Meridian",
    "Kestrel Trading",
    "bob.bidder",
    "Northlight",
    "Quay & Sons",
    "Tern",
    "Saltmarsh",
    "Lugger",
    "Zephyr Fund",
    "5F3sa2TJ…KutQY",
];

/// A run like those of the demo: many batches, one of them large, one without a buyer.
pub(crate) fn outcome() -> DemoOutcome {
    let path = march_2020(2020);
    let prices: Vec<PricePoint> = path
        .candles
        .iter()
        .map(|candle| PricePoint {
            time: candle.open_time + 600,
            price: candle.close,
        })
        .collect();
    // Which candle opens a batch, how many positions it pools and how short of money it is.
    let plan = [
        (12, 7, 100),
        (42, 31, 110),
        (61, 58, 90),
        (64, 1_284, 60),
        (66, 102, 8),
        (81, 44, 120),
        (124, 67, 100),
        (139, 186, 45),
        (141, 240, 80),
    ];
    let batches: Vec<BatchOutcome> = plan
        .into_iter()
        .zip(1u64..)
        .map(|((candle, positions, depth), number)| {
            batch(number, &prices[candle..], positions, depth)
        })
        .collect();
    let totals = Totals::of(&batches);
    DemoOutcome {
        schema: OUTCOME_SCHEMA,
        seed: 2020,
        source: Source {
            name: path.name.clone(),
            built_in: true,
            from: path.start().unwrap_or_default(),
            to: path.end().unwrap_or_default(),
            interval_seconds: path.interval_seconds,
            candles: path.candles.len() as u64,
        },
        market: MarketTerms {
            collateral_symbol: "ETH".to_owned(),
            collateral_decimals: 18,
            quote_symbol: "USDx".to_owned(),
            quote_decimals: 6,
            max_ltv_bps: 7_500,
            liquidation_threshold_bps: 8_200,
            penalty_bps: 500,
            target_health_bps: 10_800,
            floor_bps: 9_000,
            block_seconds: BLOCK,
        },
        prices,
        positions: PositionsOutcome {
            opened: 2_400,
            liquidated: 1_871,
            sold_out: 402,
            open_at_end: 1_650,
            healthy_but_liquidated: 0,
            collateral_posted: 31_415 * ETH,
            debt_drawn: 3_902_118 * USD,
        },
        lenders: LendersOutcome {
            count: 14,
            supplied: 5_000_000 * USD,
            value_at_end: 4_999_874 * USD,
            loss: totals.lender_loss,
            insurance_at_start: 25_000 * USD,
            insurance_at_end: 25_000 * USD - totals.insurance_used,
        },
        conservation: conservation(),
        costs: costs(),
        totals,
        batches,
    }
}

/// Collateral at a price, in quote units, about.
fn value(collateral: u128, price: u128) -> u128 {
    let (collateral, price) = (collateral / (ETH / USD), price / (PRICE_SCALE / USD));
    collateral * price / USD
}

fn batch(number: u64, prices: &[PricePoint], positions: u64, depth: u128) -> BatchOutcome {
    let opened_block = prices[0].time / BLOCK - 263_995_000;
    let reference_price = prices[0].price;
    let offered = u128::from(positions) * ETH * 21 / 2 + 123_456_789_012_345_678;
    let needed = value(offered, reference_price) * 7 / 10;
    let mut ladder: Vec<LadderStep> = (0..STEPS)
        .map(|step| LadderStep {
            step,
            block: opened_block + 1 + u64::from(step),
            price: reference_price * price_ppm(step) / 1_000_000,
            target: needed,
            ..LadderStep::default()
        })
        .collect();
    for step in &mut ladder {
        step.target = needed.min(value(offered, step.price));
    }
    let sells = depth > 10;
    let mut bids: Vec<BidOutcome> = (0..if sells { 5 + positions.min(40) } else { 0 })
        .map(|index| {
            let mixed = (index * 7_919 + number * 104_729) % 1_000;
            let joined = (6 + (mixed * 17) % 52) as u32;
            BidOutcome {
                bidder: NAMES[(mixed % 12) as usize].to_owned(),
                kind: match index % 9 {
                    8 => BidKind::Standing {
                        discount_bps: 200 + 100 * (mixed as u32 % 4),
                    },
                    _ => BidKind::Live,
                },
                budget: needed * depth / 100 * u128::from(40 + mixed)
                    / 540
                    / u128::from(5 + positions.min(40))
                    * 2,
                limit: ladder[joined as usize].price,
                step_joined: Some(joined),
                ..BidOutcome::default()
            }
        })
        .collect();
    let mut cumulative = 0;
    for step in &mut ladder {
        let joined = bids.iter().filter(|bid| bid.step_joined == Some(step.step));
        step.money_joined = joined.map(|bid| bid.budget).sum();
        cumulative += step.money_joined;
        step.money_cumulative = cumulative;
    }
    let covered = ladder
        .iter()
        .position(|step| step.money_cumulative >= step.target);
    let last = covered.unwrap_or(ladder.len() - 1);
    for step in &mut ladder[last + 1..] {
        step.money_joined = 0;
        step.money_cumulative = ladder_money(cumulative, step.money_cumulative);
    }
    let clearing = sells.then(|| settle(&mut bids, &ladder[last]));
    let raised = clearing.as_ref().map_or(0, |clearing| clearing.raised);
    let sold = clearing
        .as_ref()
        .map_or(0, |clearing| clearing.collateral_sold);
    let bad_debt = if depth < 70 { raised / 190 } else { 0 };
    let insurance_used = bad_debt.min(1_900 * USD);
    let penalty = if bad_debt > 0 { 0 } else { raised * 4 / 105 };
    let keeper_reward = raised / 420;
    BatchOutcome {
        number,
        opened_block,
        opened_at: prices[0].time,
        closed_block: opened_block + 3 + last as u64,
        positions,
        cohorts: positions.min(32),
        collateral_offered: offered,
        debt: needed * 102 / 100,
        target_at_start: needed,
        reference_price,
        floor: reference_price * 9 / 10,
        ladder,
        steps_reached: last as u32 + 1,
        clearing,
        repaid: raised - penalty - keeper_reward - u128::from(raised > 0),
        penalty,
        keeper_reward,
        bad_debt,
        insurance_used,
        lender_loss: bad_debt - insurance_used,
        collateral_returned: offered - sold,
        bids,
        cost: BatchCost {
            open: gas(2_410, 212),
            clear: gas(880, 96),
            settle: gas(3_905, 371),
            rest: gas(1_180, 118),
            bid: gas(612, 61),
            claim: gas(1_690, 143),
        },
        oracle_during: [0, 18, 41]
            .into_iter()
            .zip([10_000, 9_965, 10_020])
            .map(|(after, bps)| OraclePoint {
                block: opened_block + after,
                price: reference_price * bps / 10_000,
            })
            .collect(),
    }
}

/// What the money line shows after the clock ended: nothing new.
fn ladder_money(cumulative: u128, so_far: u128) -> u128 {
    so_far.min(cumulative)
}

/// Fills the bids that joined up to `last`, all at its price.
fn settle(bids: &mut [BidOutcome], last: &LadderStep) -> Clearing {
    let take = last.target.min(last.money_cumulative);
    for bid in bids.iter_mut() {
        bid.refunded = bid.budget;
        if bid.step_joined.is_some_and(|step| step <= last.step) {
            bid.spent = bid.budget * take / last.money_cumulative.max(1);
            bid.received = bid.spent * PRICE_SCALE / (last.price / (ETH / USD));
            bid.refunded = bid.budget - bid.spent;
        } else {
            bid.step_joined = None;
        }
    }
    let spent_by_bids = bids.iter().map(|bid| bid.spent).sum();
    Clearing {
        step: last.step,
        price: last.price,
        distance_to_oracle_bps: -12 - 5 * last.step as i32,
        raised: spent_by_bids,
        collateral_sold: bids.iter().map(|bid| bid.received).sum(),
        spent_by_bids,
    }
}

/// The default ladder: fast to the oracle's price, slow around it, fast to the floor.
fn price_ppm(step: u32) -> u128 {
    let step = u128::from(step);
    match step {
        0..=4 => 1_030_000 - step * 5_000,
        5..=49 => 1_005_000 - (step - 5) * 778,
        _ => 970_000 - (step - 49) * 5_000,
    }
}

fn gas(microseconds: u64, kilobytes: u64) -> Gas {
    Gas {
        ref_time: microseconds * 1_000_000,
        proof_size: kilobytes * 1_024,
    }
}

fn conservation() -> Conservation {
    let rule = |rule: &str, checks| RuleOutcome {
        rule: rule.to_owned(),
        checks,
        violations: 0,
    };
    let balance = |holder: &str, token, held: u128, owed: u128| Balance {
        holder: holder.to_owned(),
        token,
        held,
        owed,
    };
    Conservation {
        checks: 15_204,
        rules: vec![
            rule(
                "The vault holds all the collateral that positions and claims are owed",
                5_068,
            ),
            rule(
                "The vault holds all the quote that lenders and insurance are owed",
                5_068,
            ),
            rule(
                "The auction holds all the quote that bidders are owed",
                5_068,
            ),
        ],
        violations: Vec::new(),
        balances: vec![
            balance(
                "margin_vault",
                Token::Collateral,
                17_003 * ETH + 41,
                17_003 * ETH + 12,
            ),
            balance(
                "margin_vault",
                Token::Quote,
                2_716_004_118_201,
                2_716_004_118_199,
            ),
            balance(
                "liquidation_auction",
                Token::Quote,
                991_204_551_000,
                991_204_551_000,
            ),
        ],
        holds: true,
    }
}

fn costs() -> RunCosts {
    let message = |message: &str, calls, largest: Gas| MessageCost {
        message: message.to_owned(),
        calls,
        total: (0..calls).map(|_| largest).sum(),
        largest,
    };
    RunCosts {
        messages: vec![
            message("oracle_adapter.push", 432, gas(410, 42)),
            message("margin_vault.borrow", 2_400, gas(1_310, 122)),
            message("liquidation_auction.open", 9, gas(2_410, 212)),
            message("liquidation_auction.bid", 301, gas(612, 61)),
            message("liquidation_auction.settle", 9, gas(3_905, 371)),
        ],
        block_limit: gas(1_500_000, 3_750),
        baseline: Some(Baseline {
            name: "one liquidation of one account in Abax".to_owned(),
            gas: gas(14_830, 1_330),
        }),
    }
}
