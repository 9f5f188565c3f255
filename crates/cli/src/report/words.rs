//! Sentences and amounts in the words of the run's market.

use super::format::{
    amount, count, counted, day, distance_bps, percent, price, price_places, signed_percent, THIN,
};
use breakwater_sim::outcome::{BatchOutcome, DemoOutcome, MarketTerms};

/// Days have as many seconds.
const DAY: u64 = 86_400;

/// Writes amounts and prices of one run, all with the same number of digits.
pub(crate) struct Words<'a> {
    pub(crate) market: &'a MarketTerms,
    outcome: &'a DemoOutcome,
    places: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn new(outcome: &'a DemoOutcome) -> Self {
        let first = outcome.prices.first().map(|point| point.price);
        let reference = outcome.batches.first().map(|batch| batch.reference_price);
        let places = first.or(reference).map_or(2, price_places);
        Words {
            market: &outcome.market,
            outcome,
            places,
        }
    }

    /// A price without its unit.
    pub(crate) fn price(&self, value: u128) -> String {
        price(value, self.places)
    }

    /// Collateral without its unit.
    pub(crate) fn collateral_number(&self, value: u128) -> String {
        amount(value, self.market.collateral_decimals, 4)
    }

    /// Collateral with its unit.
    pub(crate) fn collateral(&self, value: u128) -> String {
        // Four digits after the point say nothing about large amounts in a sentence.
        let short = amount(value, self.market.collateral_decimals, 2);
        format!("{short}{THIN}{}", self.market.collateral_symbol)
    }

    /// Quote without its unit.
    pub(crate) fn quote_number(&self, value: u128) -> String {
        amount(value, self.market.quote_decimals, 2)
    }

    /// Quote with its unit.
    pub(crate) fn quote(&self, value: u128) -> String {
        format!(
            "{}{THIN}{}",
            self.quote_number(value),
            self.market.quote_symbol
        )
    }

    /// Quote per collateral of a trade, from its two amounts; a dash if nothing was traded.
    /// Rounded down.
    pub(crate) fn price_paid(&self, spent: u128, received: u128) -> Option<u128> {
        let scale = 10u128.checked_pow(u32::from(self.market.collateral_decimals) + 18);
        let per = 10u128.checked_pow(u32::from(self.market.quote_decimals));
        if spent == 0 || received == 0 {
            return None;
        }
        match scale
            .zip(per)
            .and_then(|(scale, per)| Some(spent.checked_mul(scale / per.max(1))? / received))
        {
            Some(price) => Some(price),
            // Too large to scale up exactly; these are only shown to a few digits.
            None => {
                let decimals = i32::from(self.market.collateral_decimals)
                    - i32::from(self.market.quote_decimals);
                Some((spent as f64 / received as f64 * 10f64.powi(decimals + 18)) as u128)
            }
        }
    }

    /// The days of the run: `12 Mar 2020`, or the first and the last.
    pub(crate) fn span(&self) -> String {
        let source = &self.outcome.source;
        let first = day(source.from);
        let last = day(source.to.saturating_sub(1).max(source.from));
        if first == last {
            first
        } else {
            format!("{first} to {last}")
        }
    }

    /// First price, lowest price after it, and the way between them in bps.
    fn fall(&self) -> Option<(u128, u128, i64)> {
        let first = self.outcome.prices.first()?.price;
        let lowest = self.outcome.prices.iter().map(|point| point.price).min()?;
        Some((first, lowest, distance_bps(lowest, first)?))
    }

    /// How far the price fell, for those who do not see the chart.
    pub(crate) fn price_sentence(&self) -> String {
        let batches = counted(self.outcome.totals.batches, "batch", "batches");
        match self.fall() {
            Some((first, lowest, bps)) => format!(
                "The price starts at {} and its lowest point is {} ({}). {batches} on the way.",
                self.price(first),
                self.price(lowest),
                signed_percent(bps),
            ),
            None => format!("No prices were recorded. {batches}."),
        }
    }

    /// Clearing prices against the oracle in bps, weighted by what each batch raised.
    pub(crate) fn average_distance(&self) -> Option<i64> {
        let (mut weighted, mut raised) = (0i128, 0i128);
        for sale in self
            .outcome
            .batches
            .iter()
            .filter_map(|batch| batch.clearing.as_ref())
        {
            let weight = i128::try_from(sale.raised).unwrap_or(i128::MAX);
            let part = weight.saturating_mul(sale.distance_to_oracle_bps.into());
            weighted = weighted.saturating_add(part);
            raised = raised.saturating_add(weight);
        }
        (raised > 0).then(|| i64::try_from(weighted / raised).unwrap_or_default())
    }

    /// What happened, in one sentence.
    pub(crate) fn headline(&self) -> String {
        let market = self.market;
        let totals = &self.outcome.totals;
        let start = match self.fall() {
            Some((_, _, bps)) if bps < 0 => {
                let source = &self.outcome.source;
                let how_long = match source.to.saturating_sub(source.from) {
                    span if span > DAY / 2 && span <= DAY => " in a day",
                    _ => "",
                };
                format!(
                    "{} fell {}{how_long}",
                    market.collateral_symbol,
                    percent(bps.unsigned_abs())
                )
            }
            _ => format!("{} did not fall", market.collateral_symbol),
        };
        if totals.batches == 0 {
            return format!("{start}; nothing had to be liquidated.");
        }
        let losses = match (totals.lender_loss, totals.insurance_used) {
            (0, 0) => "nobody else lost anything".to_owned(),
            (0, insurance) => format!(
                "insurance paid {}, lenders lost nothing",
                self.quote(insurance)
            ),
            (loss, _) => format!("lenders lost {}", self.quote(loss)),
        };
        if totals.cleared == 0 {
            let batches = counted(totals.batches, "batch", "batches");
            return format!("{start}; {batches} found no buyer, and {losses}.");
        }
        format!(
            "{start}; {} sold {} for {}, and {losses}.",
            counted(totals.cleared, "batch", "batches"),
            self.collateral(totals.collateral_sold),
            self.quote(totals.raised),
        )
    }

    /// How far below the oracle a price is, in words.
    pub(crate) fn against_oracle(&self, bps: i64) -> String {
        match bps {
            0 => "at the oracle's price".to_owned(),
            bps if bps < 0 => format!("{} below the oracle's price", percent(bps.unsigned_abs())),
            bps => format!("{} above the oracle's price", percent(bps.unsigned_abs())),
        }
    }

    /// The ladder of a batch, for those who do not see the chart.
    pub(crate) fn ladder_sentence(&self, batch: &BatchOutcome) -> String {
        let (Some(first), Some(last)) = (batch.ladder.first(), batch.ladder.last()) else {
            return "No ladder was recorded.".to_owned();
        };
        let ladder = format!(
            "The ladder falls from {} to {} in {}; the reference price is {}, the floor {}.",
            self.price(first.price),
            self.price(last.price),
            counted(batch.ladder.len() as u64, "step", "steps"),
            self.price(batch.reference_price),
            self.price(batch.floor),
        );
        match &batch.clearing {
            Some(clearing) => format!(
                "{ladder} It cleared at {} in step {}, {}.",
                self.price(clearing.price),
                clearing.step,
                self.against_oracle(clearing.distance_to_oracle_bps.into()),
            ),
            None => format!("{ladder} It did not clear."),
        }
    }

    /// The money of a batch, for those who do not see the chart.
    pub(crate) fn money_sentence(&self, batch: &BatchOutcome) -> String {
        let offered = batch
            .ladder
            .iter()
            .map(|step| step.money_cumulative)
            .max()
            .unwrap_or(0);
        format!(
            "{} offered {} in all; at the first price the lot had to raise {}. It raised {}.",
            counted(batch.bids.len() as u64, "bid", "bids"),
            self.quote(offered),
            self.quote(batch.target_at_start),
            self.quote(batch.raised()),
        )
    }

    /// Positions in cohorts, in words.
    pub(crate) fn pooled(&self, batch: &BatchOutcome) -> String {
        format!(
            "{} in {}",
            counted(batch.positions, "position", "positions"),
            counted(batch.cohorts, "cohort", "cohorts")
        )
    }

    /// A block number.
    pub(crate) fn block(&self, block: u64) -> String {
        count(block)
    }
}
