//! This auction beside others: same paths, same lots, same bidders.

use super::{
    outcome::{Check, Comparison, Discovery, Example, Expected, MechanismResult, Unit},
    scenes::{Situation, Walk, BLOCK_SECONDS, LAG},
    Options, Work,
};
use crate::{
    agents::Crowd,
    auctions::{sell_batch, sell_by_takes, Asking, BatchSale, Lot, Outcome, Scene, Stairs, Takes},
    market::standard_terms,
    paths::{openings, CrashDay},
    random::Dice,
    statistics::{Estimate, Histogram},
    SimulationError,
};
use breakwater_core::market::MarketParams;

/// The mechanisms, in the order of the tables.
const NAMES: [&str; 4] = [
    "this auction",
    "Maker's curve, first come",
    "fixed 5 % bonus",
    "this ladder, first come",
];

/// What a liquidator receives on top at a fixed bonus.
const BONUS: f64 = 0.05;

/// Blocks that the slowest mechanism may take: Maker's tail.
const LONGEST: usize = 1_201;

/// Fall of the oracle price since the opening before at which the next batch opens on a crash day.
const FALL: f64 = 0.005;

/// Random walks, and days with different ways inside their candles, per experiment.
pub(super) fn days(options: &Options) -> u64 {
    (options.runs / 50).clamp(5, 40)
}

/// Units of work of all comparisons.
pub(super) fn work(options: &Options) -> u64 {
    // A day has about 90 openings.
    2 * options.runs + 90 * days(options) * options.crash_days.len() as u64
}

/// One lot, sold by every mechanism.
struct Sold {
    results: [Outcome; 4],
    batch: BatchSale,
    takes: [Takes; 3],
}

/// Sells one lot four times.
fn sell(scene: &Scene<'_>, terms: &MarketParams) -> Result<Sold, SimulationError> {
    let batch = sell_batch(scene, terms)?;
    let takes = [
        sell_by_takes(scene, &Asking::Stairs(Stairs::MAKER)),
        sell_by_takes(
            scene,
            &Asking::Bonus {
                bonus: BONUS,
                tail: Stairs::MAKER.tail,
            },
        ),
        sell_by_takes(scene, &Asking::Ladder(batch.ladder.clone())),
    ];
    let [stairs, bonus, ladder] = &takes;
    Ok(Sold {
        results: [batch.result, stairs.result, bonus.result, ladder.result],
        batch,
        takes,
    })
}

/// All results of a scenario, path by path.
#[derive(Default)]
struct Results {
    /// For each path, for each sale, the result of each mechanism.
    paths: Vec<Vec<[Outcome; 4]>>,
}

impl Results {
    fn estimate(&self, number: usize, of: impl Fn(&Outcome) -> Option<f64>) -> Estimate {
        let clusters: Vec<Vec<f64>> = self
            .paths
            .iter()
            .map(|path| {
                path.iter()
                    .filter_map(|sale| sale.get(number).and_then(&of))
                    .collect()
            })
            .collect();
        Estimate::clustered(&clusters)
    }

    fn mechanism(&self, number: usize, name: &str) -> MechanismResult {
        let losses = self
            .paths
            .iter()
            .flatten()
            .filter_map(|sale| sale.get(number).and_then(|result| result.loss_bps));
        MechanismResult {
            name: name.to_owned(),
            loss_bps: self.estimate(number, |result| result.loss_bps),
            seconds: self.estimate(number, |result| Some(result.seconds)),
            unfilled_bps: self.estimate(number, |result| Some(result.unfilled * 1e4)),
            bad_debt_bps: self.estimate(number, |result| Some(result.bad_debt_bps)),
            losses: Histogram::of(losses, -200.0, 5.0, 200),
        }
    }

    fn comparison(&self, scenario: &str, walk: &Walk, example: Option<Example>) -> Comparison {
        Comparison {
            scenario: format!("{scenario}, {} times the money needed", walk.money),
            money: walk.money,
            bidders: walk.bidders as u64,
            sales: self.paths.iter().map(|path| path.len() as u64).sum(),
            paths: self.paths.iter().filter(|path| !path.is_empty()).count() as u64,
            mechanisms: NAMES
                .iter()
                .enumerate()
                .map(|(number, name)| self.mechanism(number, name))
                .collect(),
            example,
        }
    }
}

/// What is drawn of one sale.
fn example(scene: &Scene<'_>, sold: &Sold) -> Example {
    let [stairs, bonus, _] = &sold.takes;
    let ends = [stairs, bonus]
        .into_iter()
        .filter_map(|takes| takes.sales.last().map(|sale| sale.0))
        .chain([sold.batch.blocks]);
    let shown = ends.max().unwrap_or(0).clamp(64, LONGEST) + 10;
    let block = |elapsed: usize| Stairs::MAKER.at(scene.seconds(elapsed)).unwrap_or(0.0);
    let mut sales: Vec<(String, u64, f64)> = Vec::new();
    if let Some(price) = sold.batch.price {
        sales.push((NAMES[0].to_owned(), sold.batch.blocks as u64, price));
    }
    for (name, takes) in [(NAMES[1], stairs), (NAMES[2], bonus)] {
        let mut own = takes
            .sales
            .iter()
            .map(|(at, price, _)| (name.to_owned(), *at as u64, *price))
            .collect();
        sales.append(&mut own);
    }
    Example {
        block_seconds: scene.path.block_seconds,
        oracle: scene.lot.oracle,
        fair: (0..=shown).map(|at| scene.fair(at)).collect(),
        ladder: sold.batch.ladder.clone(),
        stairs: (0..=shown).map(|at| block(at) * scene.lot.oracle).collect(),
        bonus: (0..=shown)
            .map(|at| scene.oracle(at) / (1.0 + BONUS))
            .collect(),
        sales,
    }
}

/// Compares on random walks with enough money and with too little, and on every crash day.
pub(super) fn comparisons(
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Vec<Comparison>, SimulationError> {
    let mut found = Vec::new();
    let percent = options.volatility * 100.0;
    for money in [1.5, 0.9] {
        let walk = Walk {
            money,
            volatility: options.volatility,
            blocks: LONGEST + 1,
            ..Walk::CALM
        };
        let mut results = Results::default();
        let mut drawn = None;
        for run in 0..options.runs {
            let situation = Situation::walk(&walk, options.seed, run)?;
            let scene = situation.scene();
            let sold = sell(&scene, &standard_terms())?;
            if run == 0 {
                drawn = Some(example(&scene, &sold));
            }
            results.paths.push(vec![sold.results]);
            work.done(1);
        }
        let name = format!("random walk, {percent:.0} % a day");
        found.push(results.comparison(&name, &walk, drawn));
    }
    for (number, day) in options.crash_days.iter().enumerate() {
        found.push(crash_day(day, number as u64, options, work)?);
    }
    Ok(found)
}

/// A batch at every new low of a crash day, with new bidders each time.
fn crash_day(
    day: &CrashDay,
    number: u64,
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Comparison, SimulationError> {
    let walk = Walk {
        crowd: Crowd::CRASH,
        ..Walk::CALM
    };
    let terms = standard_terms();
    let mut results = Results::default();
    let mut drawn = None;
    for run in 0..days(options) {
        // Streams far from those of the random walks.
        let mut dice = Dice::new(options.seed, (1 << 40) + (number << 32) + run);
        let path = day.path(&mut dice, BLOCK_SECONDS, LONGEST + LAG);
        let opened = openings(&path, LAG, FALL, LONGEST + LAG);
        let mut sales = Vec::with_capacity(opened.len());
        for (index, opening) in opened.iter().enumerate() {
            let lot = Lot::draw(&mut dice, &terms, path.at(opening - LAG))?;
            let bidders = walk.crowd.draw(&mut dice, walk.bidders, walk.money);
            let scene = Scene {
                path: &path,
                opening: *opening,
                lag: LAG,
                lot: &lot,
                bidders: &bidders,
            };
            let sold = sell(&scene, &terms)?;
            if run == 0 && index == opened.len() / 2 {
                drawn = Some(example(&scene, &sold));
            }
            sales.push(sold.results);
            work.done(1);
        }
        results.paths.push(sales);
    }
    Ok(results.comparison(&day.name, &walk, drawn))
}

/// Bidders of the discovery table. Each has all the money the batch needs: more bidders mean
/// more competition, not smaller ones.
pub(super) const CROWDS: [usize; 5] = [1, 2, 3, 5, 10];

/// F20: how far the price is from the fair one, by the number of bidders; beside a fixed bonus.
pub(super) fn discovery(
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Vec<Discovery>, SimulationError> {
    let terms = standard_terms();
    let bonus = Asking::Bonus {
        bonus: BONUS,
        tail: Stairs::MAKER.tail,
    };
    CROWDS
        .into_iter()
        .map(|bidders| {
            let walk = Walk {
                bidders,
                money: bidders as f64,
                ..Walk::CALM
            };
            let (mut batch, mut fixed) = (Vec::new(), Vec::new());
            for run in 0..options.runs {
                let situation = Situation::walk(&walk, options.seed, run)?;
                let scene = situation.scene();
                batch.extend(sell_batch(&scene, &terms)?.result.loss_bps.map(f64::abs));
                fixed.extend(sell_by_takes(&scene, &bonus).result.loss_bps.map(f64::abs));
                work.done(1);
            }
            Ok(Discovery {
                bidders: bidders as u64,
                batch_bps: Estimate::of(batch),
                bonus_bps: Estimate::of(fixed),
            })
        })
        .collect()
}

/// What price discovery has to be: nearer to the fair price with every row of more bidders, and
/// with any of them nearer than a fixed bonus.
pub(super) fn judge(discovery: &[Discovery]) -> Vec<Check> {
    let group = "Price discovery: error of the price";
    let nearer = discovery.windows(2).filter_map(|pair| {
        let [few, many] = pair else { return None };
        Some(Check::new(
            group,
            format!(
                "with {} bidders, less than with {}",
                many.bidders, few.bidders
            ),
            Unit::BpOfFair,
            Expected::Under(few.batch_bps.mean),
            many.batch_bps,
        ))
    });
    let beats = discovery.first().map(|few| {
        Check::new(
            group,
            format!("with {} bidder, less than of a fixed bonus", few.bidders),
            Unit::BpOfFair,
            Expected::Under(few.bonus_bps.low()),
            few.batch_bps,
        )
    });
    nearer.chain(beats).collect()
}
