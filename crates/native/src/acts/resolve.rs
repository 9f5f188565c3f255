//! What an act comes to in a market's present state.

use super::{Act, Cast, Kind, Step, BLOCK_TIME, COLLATERAL, DAY, FEEDERS, FIRST_PRICE, QUOTE};
use crate::{Message, Native};
use breakwater_core::auction::Phase;
use breakwater_core::breaker::{Cause, Limits as BreakerLimits, Stage};
use breakwater_core::market::Limits;
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_core::units::{Amount, Millis, Price, Ratio, Shares, PRICE_ONE};
use breakwater_interfaces::AccountId;

/// An amount of at most so much, or a unit more; none and all come often.
fn some(most: Amount, b: u32) -> Amount {
    let most = most.get();
    Amount::new(match b % 8 {
        0 => most,
        1 => most.saturating_add(1),
        2 => u128::from(b >> 3 & 3),
        _ => most / 100_000 * u128::from((b >> 3) % 100_000) + most % 100_000,
    })
}

fn shares(most: Shares, b: u32) -> Shares {
    Shares::new(some(Amount::new(most.get()), b).get())
}

struct Resolver<'a> {
    n: &'a Native,
    cast: &'a Cast,
    who: AccountId,
    act: Act,
}

/// What an act comes to in a market's present state.
#[must_use]
pub fn resolve(n: &Native, cast: &Cast, act: Act) -> Vec<Step> {
    let who = cast.users[usize::from(act.who) % cast.users.len()];
    let resolver = Resolver { n, cast, who, act };
    let kind = Kind::of(act.kind);
    if let Some(steps) = resolver.extend(kind).or_else(|| resolver.in_kind(kind)) {
        return steps;
    }
    if kind.needs_batch() && act.a % 8 != 7 && n.running().is_empty() {
        return match kind {
            Kind::Extend => resolver.short_of_money(),
            _ => resolver.hunt(),
        };
    }
    if let Some(steps) = resolver.time(kind) {
        return steps;
    }
    let found = resolver
        .vault(kind)
        .or_else(|| resolver.auction(kind))
        .or_else(|| resolver.governance(kind));
    found.map_or_else(Vec::new, |(who, message)| vec![Step::Send(who, message)])
}

impl Resolver<'_> {
    fn spot(&self) -> Price {
        self.n
            .read()
            .map_or(FIRST_PRICE, |reading| reading.round.price)
    }

    /// The last price, moved: mostly a little, now and then far.
    fn moved(&self) -> Price {
        let (a, spot) = (self.act.a, self.spot().get());
        let per_mille = match a % 16 {
            0..8 => 985 + (a >> 4) % 31,
            8..11 => 930 + (a >> 4) % 60,
            11..13 => 1_010 + (a >> 4) % 80,
            13 => 600 + (a >> 4) % 300,
            14 => 1_100 + (a >> 4) % 500,
            // Back towards the beginning.
            _ => return Price::new((spot + FIRST_PRICE.get()) / 2),
        };
        let moved = spot / 1_000 * u128::from(per_mille) + u128::from(self.act.b % 1_000);
        Price::new(moved.clamp(PRICE_ONE, 20_000 * PRICE_ONE))
    }

    /// While a batch is announced money comes in, and in the next block, in which that counts, the
    /// batch is extended by what it covers.
    fn extend(&self, kind: Kind) -> Option<Vec<Step>> {
        let (n, act) = (self.n, self.act);
        let number = self.batch()?;
        let first = n.house.auctions.get(&number)?.auction.schedule.first;
        let announced = kind.needs_batch() && n.block + 1 < first && act.a.is_multiple_of(3);
        announced.then(|| {
            let held = n.tokens.held(n.at.quote, self.who).get();
            let amount = Amount::new(held / 4);
            let fund = Message::Fund { amount };
            let extend = Message::Extend { batch: number };
            vec![
                Step::Send(self.who, fund),
                Step::Pass(1, BLOCK_TIME),
                Step::Send(self.who, extend),
            ]
        })
    }

    /// In a wind-down nothing is lent: instead the notice passes, and what no auction sold is
    /// taken in kind.
    fn in_kind(&self, kind: Kind) -> Option<Vec<Step>> {
        let (n, b) = (self.n, self.act.b);
        n.vault.state.wind_down?;
        if !matches!(
            kind,
            Kind::Supply | Kind::Redeem | Kind::Borrow | Kind::Lever
        ) {
            return None;
        }
        let spot = self.spot();
        let due = self.cast.users.iter().copied().find(|user| {
            let view = n.position_at(*user, spot);
            view.is_ok_and(|view| view.status.is_liquidatable())
        });
        let Some(owner) = due else {
            return b.is_multiple_of(2).then(|| self.hunt());
        };
        let mut steps = Vec::new();
        let mut later = 0;
        if b.is_multiple_of(4) {
            steps.push(Step::Pass(1, SHORTEST_NOTICE));
            later = SHORTEST_NOTICE;
        }
        for round in 1..=2 {
            steps.push(Step::Pass(1, BLOCK_TIME));
            let at = later + round * BLOCK_TIME;
            steps.extend((0..FEEDERS).map(|feeder| self.submit(feeder, spot, at)));
        }
        steps.push(Step::Pass(1, BLOCK_TIME));
        steps.push(Step::Send(self.who, Message::TakeInKind { owner }));
        Some(steps)
    }

    /// What leads to a batch: a debt, or a price under which one is due, in two rounds, and then an
    /// opening.
    fn hunt(&self) -> Vec<Step> {
        let (n, b) = (self.n, self.act.b);
        if n.vault.stage.max(n.vault.state.stage) > Stage::Open && b % 4 != 0 {
            let of_market = n.vault.state.stage > Stage::Open;
            let stage = Stage::Open;
            let lower = Message::Lower { of_market, stage };
            return vec![Step::Send(n.at.governor, lower)];
        }
        let spot = self.spot();
        let views = self.cast.users.iter();
        let views = views.filter_map(|user| n.position_at(*user, spot).ok());
        let highest = views.filter_map(|view| view.liquidation_price).max();
        let Some(highest) = highest.filter(|_| b % 4 != 1) else {
            let message = self.vault(Kind::Lever);
            return message.map_or_else(Vec::new, |(who, message)| vec![Step::Send(who, message)]);
        };
        let open = Step::Send(self.who, Message::OpenBatch);
        if highest > spot && n.read().is_ok_and(|reading| reading.previous < highest) {
            return vec![open];
        }
        let per_mille = [999, 997, 985, 970, 950, 930, 860, 700][(b >> 8) as usize % 8];
        let price = Price::new(highest.get() / 1_000 * per_mille);
        let mut steps = Vec::new();
        for round in 1..=2 {
            steps.push(Step::Pass(1, BLOCK_TIME));
            steps.extend((0..FEEDERS).map(|f| self.submit(f, price, round * BLOCK_TIME)));
        }
        steps.extend([Step::Pass(1, BLOCK_TIME), open]);
        steps
    }

    /// A batch that opens while next to no money lies in the auction, and is extended by what comes
    /// then.
    fn short_of_money(&self) -> Vec<Step> {
        let users = self.cast.users.iter();
        let mut steps: Vec<_> = users
            .map(|user| (*user, self.n.house.balance(*user)))
            .filter(|(_, amount)| !amount.is_zero())
            .map(|(user, amount)| Step::Send(user, Message::Defund { amount }))
            .collect();
        // A deep fall: more cohorts are due than a batch without money takes.
        let act = Act {
            b: (self.act.b | 0x600) & !3 | 2,
            ..self.act
        };
        steps.extend(Resolver { act, ..*self }.hunt());
        if matches!(steps.last(), Some(Step::Send(_, Message::OpenBatch))) {
            let amount = self.n.tokens.held(self.n.at.quote, self.who);
            let batch = self.n.vault.state.batches;
            steps.extend([
                Step::Send(self.who, Message::Fund { amount }),
                Step::Pass(1, BLOCK_TIME),
                Step::Send(self.who, Message::Extend { batch }),
            ]);
        }
        steps
    }

    fn submit(&self, feeder: usize, price: Price, later: Millis) -> Step {
        let feeder = self.cast.feeders[feeder % self.cast.feeders.len()];
        let at = self.n.now + later;
        Step::Send(feeder, Message::Submit { price, at })
    }

    fn time(&self, kind: Kind) -> Option<Vec<Step>> {
        let b = self.act.b;
        Some(match kind {
            Kind::Round if self.n.read().is_err() => {
                let mut steps = vec![Step::Pass(1, BLOCK_TIME)];
                steps.extend((0..FEEDERS).map(|f| self.submit(f, FIRST_PRICE, BLOCK_TIME)));
                steps.push(Step::Pass(1, BLOCK_TIME));
                steps
            }
            Kind::Round => {
                let (price, spread) = (self.moved(), u128::from(b >> 16) * 1_000);
                let mut steps = vec![Step::Pass(1, BLOCK_TIME)];
                for feeder in 0..FEEDERS {
                    let own = Price::new(price.get() + spread * feeder as u128);
                    steps.push(self.submit(feeder, own, BLOCK_TIME));
                }
                if !b.is_multiple_of(8) {
                    steps.push(Step::Pass(1, BLOCK_TIME));
                }
                steps
            }
            Kind::Submit => {
                let late = u64::from(b % 3) * 100_000;
                let feeder = self.cast.feeders[usize::from(self.act.who) % FEEDERS];
                let (price, at) = (self.moved(), self.n.now.saturating_sub(late));
                vec![Step::Send(feeder, Message::Submit { price, at })]
            }
            Kind::Pass => vec![Step::Pass(1 + b % 12, BLOCK_TIME)],
            Kind::RunOut => {
                let left = self.batch().and_then(|number| {
                    let auction = &self.n.house.auctions.get(&number)?.auction;
                    let end = auction.schedule.begins(auction.schedule.steps);
                    end.checked_sub(self.n.block)
                });
                vec![Step::Pass(left.unwrap_or(1).clamp(1, 200), BLOCK_TIME)]
            }
            Kind::Sleep => match b % 4 {
                0 => vec![Step::Pass(1, 20 * DAY)],
                1 => vec![Step::Pass(1, SHORTEST_NOTICE)],
                2 => vec![Step::Pass(700, BLOCK_TIME)],
                _ => vec![Step::Pass(1, DAY / 24)],
            },
            _ => return None,
        })
    }

    /// A batch that has not settled, if there is one.
    fn batch(&self) -> Option<u32> {
        let running = self.n.running();
        let nth = self.act.a as usize % running.len().max(1);
        running.get(nth).copied()
    }

    /// Any batch; now and then one that does not exist.
    fn any_batch(&self) -> u32 {
        let all = &self.n.house.auctions;
        let nth = self.act.a as usize % (all.len() + 1);
        all.keys().nth(nth).copied().unwrap_or(7)
    }

    fn holds(&self, token: AccountId) -> Amount {
        some(self.n.tokens.held(token, self.who), self.act.b)
    }

    /// A tenth of what the user holds: so that nobody is out of money at once.
    fn part(&self, token: AccountId) -> Amount {
        let held = self.n.tokens.held(token, self.who).get();
        some(Amount::new(held / 10), self.act.b)
    }

    fn other(&self) -> AccountId {
        self.cast.users[self.act.a as usize % self.cast.users.len()]
    }

    fn vault(&self, kind: Kind) -> Option<(AccountId, Message)> {
        let (n, b, who) = (self.n, self.act.b, self.who);
        let (collateral, quote) = (n.at.collateral, n.at.quote);
        let view = n.position_at(who, self.spot()).ok();
        let pooled = view.map(|view| view.collateral).unwrap_or_default();
        let owed = |owner| {
            let view = n.position_at(owner, self.spot()).ok();
            view.map(|view| view.debt).unwrap_or_default()
        };
        let message = match kind {
            Kind::Supply => Message::Supply {
                amount: self.part(quote),
            },
            Kind::Redeem => Message::Redeem {
                shares: shares(n.vault.shares_of(who), b),
            },
            Kind::Deposit => Message::Deposit {
                amount: self.part(collateral),
            },
            Kind::Withdraw => {
                let free = view.map(|view| view.withdrawable).unwrap_or_default();
                let most = if self.act.a.is_multiple_of(4) {
                    pooled
                } else {
                    free
                };
                Message::Withdraw {
                    amount: some(most, b),
                }
            }
            Kind::Borrow => Message::Borrow {
                amount: some(view.map(|view| view.borrowable).unwrap_or_default(), b),
            },
            Kind::Lever => {
                // Ratios meet in ticks: whole collateral, debt in per mille of its value.
                let whole = 1 + u128::from(self.act.a % 30);
                let per_mille = 750 - u128::from(b % 40);
                let debt = whole * self.spot().get() / PRICE_ONE * QUOTE * per_mille / 1_000;
                Message::DepositAndBorrow {
                    collateral: Amount::new(whole * COLLATERAL),
                    quote: Amount::new(debt),
                }
            }
            Kind::Repay => {
                let owner = if self.act.a.is_multiple_of(3) {
                    self.other()
                } else {
                    who
                };
                Message::Repay {
                    owner,
                    amount: some(owed(owner), b),
                }
            }
            Kind::RepayAndWithdraw => Message::RepayAndWithdraw {
                repay: some(owed(who), b),
                withdraw: some(pooled, self.act.a),
            },
            Kind::Close => Message::Close,
            Kind::Reclaim => Message::Reclaim,
            Kind::Sync => Message::Sync {
                owner: self.other(),
                moves: (b % 4) as u16,
            },
            Kind::Rest => Message::Rest {
                batch: self.any_batch(),
                cells: (b % 4) as u16,
            },
            Kind::ClaimReward => Message::ClaimReward,
            Kind::Insure => Message::Insure {
                amount: Amount::new(some(self.holds(quote), b).get() / 100),
            },
            Kind::Collect => Message::Collect {
                in_kind: b % 2 == 0,
            },
            Kind::TakeInKind => Message::TakeInKind {
                owner: self.other(),
            },
            _ => return None,
        };
        Some((who, message))
    }

    fn limit(&self, number: u32) -> Price {
        let b = self.act.b;
        let Some(record) = self.n.house.auctions.get(&number) else {
            return self.spot();
        };
        let prices = &record.auction.prices;
        let at = (b >> 20) as usize % prices.len().max(1);
        let price = prices.get(at).copied().unwrap_or_default();
        Price::new(price.get().saturating_sub(u128::from(b >> 18 & 1)))
    }

    /// A budget of at most what the batch asks for and what the bidder has.
    fn budget(&self, number: u32) -> Amount {
        let asked = self.n.house.auctions.get(&number).and_then(|record| {
            let last = record.auction.targets.last().copied();
            last.or(record.auction.targets.first().copied())
        });
        let has = self.n.house.balance(self.who);
        some(asked.unwrap_or(has).min(has), self.act.b)
    }

    /// A bid of the user that is still there; now and then somebody else's.
    fn own_bid(&self) -> (u32, u32) {
        let bids = &self.n.house.bids;
        let own = bids.iter().filter(|(_, bid)| bid.bidder == self.who);
        let own: Vec<_> = own.map(|(key, _)| *key).collect();
        if own.is_empty() || self.act.b.is_multiple_of(16) {
            return bids.keys().next().copied().unwrap_or((1, 0));
        }
        own[self.act.a as usize % own.len()]
    }

    fn auction(&self, kind: Kind) -> Option<(AccountId, Message)> {
        let (n, a, b, who) = (self.n, self.act.a, self.act.b, self.who);
        let valid_until = if b % 32 == 5 { n.block + 3 } else { u32::MAX };
        let percent = [2, 2, 3, 5, 5, 8, 1, 31][a as usize % 8];
        let batch = || self.batch().unwrap_or_else(|| self.any_batch());
        let message = match kind {
            Kind::Fund => Message::Fund {
                amount: self.part(n.at.quote),
            },
            Kind::Defund => Message::Defund {
                amount: some(n.house.balance(who), b),
            },
            Kind::OpenBatch => Message::OpenBatch,
            Kind::Extend => Message::Extend { batch: batch() },
            Kind::Leave => Message::Leave {
                batch: self
                    .n
                    .position_at(who, self.spot())
                    .ok()
                    .and_then(|view| view.batch)
                    .unwrap_or_else(batch),
            },
            Kind::Bid => Message::Bid {
                batch: batch(),
                budget: self.budget(batch()),
                limit: self.limit(batch()),
                valid_until,
            },
            Kind::Replace => {
                let (batch, bid) = self.own_bid();
                Message::Replace {
                    batch,
                    bid,
                    budget: self.budget(batch),
                    limit: self.limit(batch),
                    valid_until,
                }
            }
            Kind::Cancel => {
                let (batch, bid) = self.own_bid();
                Message::Cancel { batch, bid }
            }
            Kind::Reprice => Message::Reprice { batch: batch() },
            Kind::Advance => Message::Advance { batch: batch() },
            Kind::Settle => Message::Settle {
                batch: if b % 8 == 0 {
                    self.any_batch()
                } else {
                    batch()
                },
            },
            Kind::Claim => {
                let settled = n.house.bids.iter().filter(|((number, _), bid)| {
                    let record = n.house.auctions.get(number);
                    bid.bidder == who
                        && record.is_some_and(|r| matches!(r.auction.phase, Phase::Settled(_)))
                });
                let mut keys = settled.map(|(key, _)| *key);
                let (batch, first) = keys.next().unwrap_or_else(|| self.own_bid());
                let mut bids = vec![first];
                bids.extend(keys.filter(|(of, _)| *of == batch).map(|(_, bid)| bid));
                bids.truncate(1 + b as usize % 4);
                Message::Claim { batch, bids }
            }
            Kind::Stand => Message::Stand {
                percent,
                amount: some(n.house.balance(who), b),
            },
            Kind::Unstand => {
                let worth = n.stake_of(who, percent).unwrap_or_default();
                Message::Unstand {
                    percent,
                    amount: some(Amount::new(worth.standing.get() + worth.waiting.get()), b),
                }
            }
            Kind::ClaimStanding => Message::ClaimStanding { percent },
            Kind::Trip => Message::Trip {
                of_market: b % 4 != 0,
                cause: match b % 8 {
                    0 => Cause::Markets,
                    _ => Cause::MEASURED[a as usize % 8],
                },
            },
            Kind::Refresh => Message::Refresh,
            _ => return None,
        };
        Some((who, message))
    }

    fn governance(&self, kind: Kind) -> Option<(AccountId, Message)> {
        let (n, a, b) = (self.n, self.act.a, self.act.b);
        let of_market = b % 3 != 0;
        let (governor, guardian) = (n.at.governor, n.at.guardian);
        // Now and then somebody tries who may not.
        let by = |role| if b % 16 == 7 { self.who } else { role };
        let present = &n.vault.market.params;
        Some(match kind {
            Kind::Raise => {
                let stage = Stage::ALL[a as usize % 4];
                let role = if b % 2 == 0 { guardian } else { governor };
                (by(role), Message::Raise { of_market, stage })
            }
            Kind::Lower => {
                // Mostly what has a stage is opened, so that markets do not stand for long.
                let of_market = n.house.breaker.breaker.stage > Stage::Open || of_market;
                let stage = Stage::ALL[if a % 4 == 0 { 1 } else { 0 }];
                (by(governor), Message::Lower { of_market, stage })
            }
            Kind::Reopen => (self.who, Message::Reopen { of_market }),
            Kind::SetLimits => {
                let mut limits = BreakerLimits::standard(present.hole);
                limits.jump = Ratio::from_bps(500 + a % 2_000);
                limits.silent_steps = b % 40;
                (by(governor), Message::SetLimits { limits })
            }
            Kind::ProposeParams => {
                let mut params = present.clone();
                params.liquidation_threshold = Ratio::from_bps(7_800 + a % 400);
                params.penalty = Ratio::from_bps(300 + b % 400);
                let params = Box::new(params);
                (by(governor), Message::ProposeParams { params })
            }
            Kind::ApplyParams => (self.who, Message::ApplyParams),
            Kind::CancelParams => (by(guardian), Message::CancelParams),
            Kind::Restrict => {
                let limits = Limits {
                    initial_ltv: present.initial_ltv,
                    debt_ceiling: some(present.debt_ceiling, b).max(Amount::new(5_000 * QUOTE)),
                    supply_cap: present.supply_cap,
                };
                (by(guardian), Message::Restrict { limits })
            }
            // The end of a market comes once in a few histories.
            Kind::WindDown if b % 8 == 0 => (governor, Message::WindDown),
            Kind::WindDown => (self.who, Message::OpenBatch),
            _ => return None,
        })
    }
}
