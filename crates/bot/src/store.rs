//! What the bot decided and what came of it, in SQLite: written before anything is sent.

use crate::action::Action;
use crate::decide::bidder::{Memory, PATIENCE};
use crate::view::{BatchView, View};
use breakwater_core::auction::Phase;
use breakwater_core::units::{Amount, Block, Millis, Price};
use breakwater_interfaces::auction::BidId;
use rusqlite::{params, Connection, OptionalExtension};
use std::collections::BTreeSet;
use std::path::Path;

#[cfg(test)]
mod faults;
mod lock;

use lock::{lock, Lock};

/// Blocks after which money that was sent in or out and not seen is given up: longer than any
/// transaction stays valid.
const MONEY_PATIENCE: Block = 130;
/// Attempts at one bid that the contract refused.
const ATTEMPTS: u32 = 3;
/// Blocks for which a batch is looked at after nothing was left to do: another best chain may take a
/// settlement or a claim back.
const REVIEW: Block = 32;
/// Stands in a review for the block since which nothing is left to do, while there is something.
const UNFINISHED: Block = Block::MAX;
const DAY: Millis = 86_400_000;

/// The memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refuses.
    #[error("the state file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file belongs to another bot.
    #[error("the state file is that of another account or deployment ({0}): give another path")]
    Foreign(String),
    /// Another process has the file open.
    #[error("another bot is running with the state file {0}: stop it, or give each its own file and account")]
    InUse(String),
    /// The lock beside the file cannot be had.
    #[error("the state file: cannot lock {path} ({source})")]
    Lock {
        /// The lock.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A number in the file does not read.
    #[error("the state file is damaged: restore it, or move it away to start from the chain")]
    Damaged,
}

/// How an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The chain has it.
    Done,
    /// The chain refused it.
    Failed,
    /// It never arrived, and cannot any more.
    Lost,
    /// Only decided, in a dry run.
    Dry,
    /// A bid that was taken back.
    Cancelled,
}

impl Outcome {
    fn text(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Dry => "dry",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Something written down and not known to have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    id: i64,
    kind: String,
    batch: Option<u32>,
    slot: String,
    budget: Amount,
    limit: Price,
    valid_until: Block,
    block: Block,
}

/// A bid written down: its intent, its number where that is known, its budget and its limit.
type BidRow = (i64, Option<BidId>, Amount, Price);

/// The memory of one account in one market.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Held as long as the memory is open; the system gives it back when the process ends, however.
    _lock: Option<Lock>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS finished (batch INTEGER PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS review (batch INTEGER PRIMARY KEY, block INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS intent (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        role TEXT NOT NULL,
        kind TEXT NOT NULL,
        batch INTEGER,
        slot TEXT NOT NULL,
        budget TEXT NOT NULL,
        price TEXT NOT NULL,
        valid_until INTEGER NOT NULL,
        block INTEGER NOT NULL,
        day INTEGER NOT NULL,
        state TEXT NOT NULL,
        bid INTEGER,
        spent TEXT,
        note TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX IF NOT EXISTS intent_state ON intent (state);
    CREATE UNIQUE INDEX IF NOT EXISTS one_bid ON intent (key)
        WHERE kind = 'bid' AND state IN ('pending', 'done', 'dry');
    CREATE UNIQUE INDEX IF NOT EXISTS one_of_a_kind ON intent (key)
        WHERE kind <> 'bid' AND state = 'pending';
";

impl Store {
    /// Opens the memory of an identity (account, deployment and market), or begins one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, identity: &str) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        Self::prepare(Connection::open(path)?, Some(lock), identity)
    }

    fn prepare(
        connection: Connection,
        lock: Option<Lock>,
        identity: &str,
    ) -> Result<Self, StoreError> {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An intent has to survive a loss of power: it is what prevents a second bid.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        let store = Self {
            connection,
            _lock: lock,
        };
        match store.meta("identity")? {
            None => store.set_meta("identity", identity)?,
            Some(found) if found == identity => {}
            Some(found) => return Err(StoreError::Foreign(found)),
        }
        Ok(store)
    }

    fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        let query = "SELECT value FROM meta WHERE name = ?1";
        let found = self.connection.query_row(query, [name], |row| row.get(0));
        Ok(found.optional()?)
    }

    fn set_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let change = "INSERT INTO meta VALUES (?1, ?2)
                      ON CONFLICT (name) DO UPDATE SET value = ?2";
        self.connection.execute(change, [name, value])?;
        Ok(())
    }

    /// Time of the latest observation that was submitted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_submitted(&self) -> Result<Option<Millis>, StoreError> {
        let found = self.meta("submitted")?;
        found
            .map(|text| text.parse().map_err(|_| StoreError::Damaged))
            .transpose()
    }

    /// Batches that nobody has anything left to do with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finished(&self) -> Result<BTreeSet<u32>, StoreError> {
        let mut query = self.connection.prepare("SELECT batch FROM finished")?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Batches that are not finished and in which the chain has bids of this memory, or may have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bid_in(&self) -> Result<BTreeSet<u32>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT DISTINCT batch FROM intent WHERE kind = 'bid' AND state IN ('pending', 'done')
             AND batch NOT IN (SELECT batch FROM finished)",
        )?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes down that an action is about to be sent; `None` if it may have been sent before.
    ///
    /// A claim says what its bids were worth: that is final, and is kept with the bids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(
        &mut self,
        action: &Action,
        block: Block,
        now: Millis,
    ) -> Result<Option<i64>, StoreError> {
        let (budget, limit, valid_until) = match action {
            Action::Bid(bid) => (bid.budget.get(), bid.limit.get(), bid.valid_until),
            Action::Submit { price, .. } => (0, price.get(), 0),
            Action::Deposit(amount)
            | Action::Withdraw(amount)
            | Action::Stand { amount, .. }
            | Action::Unstand { amount, .. } => (amount.get(), 0, 0),
            _ => (0, 0, 0),
        };
        let batch = action.batch().map(|batch| batch.number);
        let transaction = self.connection.transaction()?;
        let added = transaction.execute(
            "INSERT OR IGNORE INTO intent
             (key, role, kind, batch, slot, budget, price, valid_until, block, day, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending')",
            params![
                action.key(),
                action.role(),
                action.kind(),
                batch,
                action.slot(),
                budget.to_string(),
                limit.to_string(),
                valid_until,
                block,
                now / DAY,
            ],
        )?;
        let id = transaction.last_insert_rowid();
        if let Action::Claim { batch, bids } = action {
            for (bid, fill) in bids {
                transaction.execute(
                    "UPDATE intent SET spent = ?3 WHERE kind = 'bid' AND batch = ?1 AND bid = ?2",
                    params![batch.number, bid, fill.spent.get().to_string()],
                )?;
            }
        }
        transaction.commit()?;
        Ok((added == 1).then_some(id))
    }

    /// Writes down what came of an intent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(
        &self,
        id: i64,
        outcome: Outcome,
        bid: Option<BidId>,
        note: &str,
    ) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE intent SET state = ?2, bid = coalesce(?3, bid), note = ?4 WHERE id = ?1",
            params![id, outcome.text(), bid, note],
        )?;
        Ok(())
    }

    /// Writes down that a price observed at a time was submitted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn submitted(&self, observed_at: Millis) -> Result<(), StoreError> {
        self.set_meta("submitted", &observed_at.to_string())
    }

    /// Writes down that a bid was taken back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn cancelled(&self, batch: u32, bid: BidId) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE intent SET state = 'cancelled' WHERE kind = 'bid' AND batch = ?1 AND bid = ?2",
            params![batch, bid],
        )?;
        Ok(())
    }

    /// Compares what was written down with what the chain shows, and forgets finished batches.
    ///
    /// A bid that was sent and is not there counts as under way until the last block in which the
    /// chain would take it has passed; so a restart never bids twice. What was known to have happened
    /// may not have on another best chain: a bid that is gone is under way again, one that is back
    /// counts again, and a finished batch that was seen unfinished is looked at for some time.
    /// Returns the batches in which a bid is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reconcile(&mut self, view: &View) -> Result<BTreeSet<u32>, StoreError> {
        for pending in self.pending()? {
            if let Some((outcome, bid)) = self.fate(&pending, view)? {
                self.finish(pending.id, outcome, bid, "found on restart")?;
                if let (Outcome::Done, "cancel", Some(batch), Ok(bid)) = (
                    outcome,
                    pending.kind.as_str(),
                    pending.batch,
                    pending.slot.parse(),
                ) {
                    self.cancelled(batch, bid)?;
                }
            }
        }
        // After the fates: what is gone by this view is looked for in the next one.
        let mut gone = BTreeSet::new();
        for batch in &view.batches {
            self.revive(batch)?;
            if self.lose(batch)? {
                gone.insert(batch.key.number);
            }
        }
        let unresolved: BTreeSet<_> = self.pending()?.iter().filter_map(|p| p.batch).collect();
        let own = self.bid_in()?;
        for batch in &view.batches {
            let number = batch.key.number;
            if !batch.is_finished() || unresolved.contains(&number) {
                let change = "INSERT INTO review VALUES (?1, ?2)
                              ON CONFLICT (batch) DO UPDATE SET block = ?2 WHERE block <> ?2";
                self.connection.execute(change, [number, UNFINISHED])?;
                continue;
            }
            if own.contains(&number) {
                let change = "INSERT OR IGNORE INTO review VALUES (?1, ?2)";
                self.connection.execute(change, [number, view.block])?;
            }
            let change = "UPDATE review SET block = ?2 WHERE batch = ?1 AND block = ?3";
            let since = [number, view.block, UNFINISHED];
            self.connection.execute(change, since)?;
            // Batches that were over before anybody looked: a new memory does not wait for them.
            let change = "INSERT OR IGNORE INTO finished SELECT ?1
                          WHERE NOT EXISTS (SELECT 1 FROM review WHERE batch = ?1)";
            self.connection.execute(change, [number])?;
        }
        let until = view.block.saturating_sub(REVIEW);
        self.connection.execute(
            "INSERT OR IGNORE INTO finished SELECT batch FROM review WHERE block <= ?1",
            [until],
        )?;
        let change = "DELETE FROM review WHERE block <= ?1";
        self.connection.execute(change, [until])?;
        Ok(gone)
    }

    /// Bids of a batch that count as taken back or lost, and that the chain has, count again.
    fn revive(&self, batch: &BatchView) -> Result<(), StoreError> {
        let known = self.bids_in(batch.key.number, "state = 'done'")?;
        for (bid, placed, _) in &batch.bids {
            if known.iter().any(|(_, id, ..)| *id == Some(*bid)) {
                continue;
            }
            let off = self.bids_in(batch.key.number, "state IN ('cancelled', 'lost')")?;
            let same = off.into_iter().find(|(_, id, budget, limit)| {
                id.is_none_or(|id| id == *bid) && (*budget, *limit) == (placed.budget, placed.limit)
            });
            if let Some((intent, ..)) = same {
                // Not where its place has been bid again: then it is one bid too many.
                self.connection.execute(
                    "UPDATE OR IGNORE intent SET state = 'done', bid = ?2 WHERE id = ?1",
                    params![intent, bid],
                )?;
            }
        }
        Ok(())
    }

    /// Bids of a batch that takes no claims yet, and that the chain had and has no more, are under
    /// way again. Whether there are any.
    fn lose(&self, batch: &BatchView) -> Result<bool, StoreError> {
        if matches!(batch.record.auction.phase, Phase::Settled(_)) {
            return Ok(false);
        }
        let mut lost = false;
        for (intent, id, budget, limit) in self.bids_in(batch.key.number, "state = 'done'")? {
            let there = batch.bids.iter().any(|(bid, placed, _)| {
                (Some(*bid), placed.budget, placed.limit) == (id, budget, limit)
            });
            if !there {
                self.connection.execute(
                    "UPDATE intent SET state = 'pending', bid = NULL WHERE id = ?1",
                    [intent],
                )?;
                lost = true;
            }
        }
        Ok(lost)
    }

    /// Own bids of a batch in some states: intent, number, budget and limit.
    fn bids_in(&self, batch: u32, states: &str) -> Result<Vec<BidRow>, StoreError> {
        let mut query = self.connection.prepare(&format!(
            "SELECT id, bid, budget, price FROM intent
             WHERE kind = 'bid' AND batch = ?1 AND {states} ORDER BY id"
        ))?;
        let mut rows = query.query([batch])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((
                row.get(0)?,
                row.get(1)?,
                Amount::new(number(&row.get::<_, String>(2)?)?),
                Price::new(number(&row.get::<_, String>(3)?)?),
            ));
        }
        Ok(found)
    }

    fn fate(
        &self,
        pending: &Pending,
        view: &View,
    ) -> Result<Option<(Outcome, Option<BidId>)>, StoreError> {
        let batch = view
            .batches
            .iter()
            .find(|batch| Some(batch.key.number) == pending.batch);
        let late = |patience: Block| view.block > pending.block.saturating_add(patience);
        Ok(match pending.kind.as_str() {
            "bid" => {
                let known = self.bids_in(pending.batch.unwrap_or_default(), "state = 'done'")?;
                let found = batch.and_then(|batch| {
                    batch.bids.iter().find(|(id, bid, _)| {
                        (bid.budget, bid.limit) == (pending.budget, pending.limit)
                            && !known.iter().any(|(_, known, ..)| *known == Some(*id))
                    })
                });
                match found {
                    Some((id, ..)) => Some((Outcome::Done, Some(*id))),
                    // A batch that is not in the view says nothing of its bids. If it never is
                    // again, the money does not stay reserved; should it be, the bid counts again.
                    None if view.block > pending.valid_until
                        && (batch.is_some() || late(MONEY_PATIENCE)) =>
                    {
                        Some((Outcome::Lost, None))
                    }
                    None => None,
                }
            }
            "cancel" => {
                let bid = pending.slot.parse::<BidId>().ok();
                let has = |batch: &BatchView| batch.bids.iter().any(|own| Some(own.0) == bid);
                match batch.map(has) {
                    Some(false) => Some((Outcome::Done, None)),
                    _ if late(PATIENCE) => Some((Outcome::Lost, None)),
                    _ => None,
                }
            }
            "claim" if batch.is_none_or(|batch| batch.bids.is_empty()) => {
                Some((Outcome::Done, None))
            }
            "deposit" | "withdraw" | "stand" | "unstand" => {
                late(MONEY_PATIENCE).then_some((Outcome::Lost, None))
            }
            _ => late(PATIENCE).then_some((Outcome::Lost, None)),
        })
    }

    fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT id, kind, batch, slot, budget, price, valid_until, block
             FROM intent WHERE state = 'pending' ORDER BY id",
        )?;
        let mut rows = query.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Pending {
                id: row.get(0)?,
                kind: row.get(1)?,
                batch: row.get(2)?,
                slot: row.get(3)?,
                budget: Amount::new(number(&row.get::<_, String>(4)?)?),
                limit: Price::new(number(&row.get::<_, String>(5)?)?),
                valid_until: row.get(6)?,
                block: row.get(7)?,
            });
        }
        Ok(found)
    }

    /// Bids of a batch that were sent from this memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known_bids(&self, batch: u32) -> Result<BTreeSet<BidId>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT bid FROM intent WHERE kind = 'bid' AND batch = ?1 AND bid IS NOT NULL",
        )?;
        let rows = query.query_map([batch], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the bidder has to know.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn memory(&self, now: Millis) -> Result<Memory, StoreError> {
        let mut memory = Memory::default();
        let mut failures = std::collections::BTreeMap::<_, u32>::new();
        let mut query = self.connection.prepare(
            "SELECT batch, slot, budget, spent, state, day FROM intent
             WHERE kind = 'bid' AND (day = ?1 OR batch NOT IN (SELECT batch FROM finished))",
        )?;
        let today = now / DAY;
        let mut rows = query.query([today])?;
        while let Some(row) = rows.next()? {
            let (batch, slot): (u32, String) = (row.get(0)?, row.get(1)?);
            let budget = number(&row.get::<_, String>(2)?)?;
            let spent: Option<String> = row.get(3)?;
            let state: String = row.get(4)?;
            let day: u64 = row.get(5)?;
            match state.as_str() {
                "pending" | "done" | "dry" => {
                    let used = spent.map_or(Ok(budget), |text| number(&text))?;
                    if day == today {
                        let sum = memory.spent_today.get().saturating_add(used);
                        memory.spent_today = Amount::new(sum);
                    }
                    if state == "pending" {
                        memory.unsure.push((batch, Amount::new(budget)));
                    }
                    memory.taken.insert((batch, slot));
                }
                "failed" => *failures.entry((batch, slot)).or_default() += 1,
                _ => {}
            }
        }
        let hopeless = failures.into_iter().filter(|(_, count)| *count >= ATTEMPTS);
        memory.taken.extend(hopeless.map(|(key, _)| key));
        Ok(memory)
    }

    /// What was put into standing tiers on the day of a moment, or may yet arrive there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stood_today(&self, now: Millis) -> Result<Amount, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT budget FROM intent
             WHERE kind = 'stand' AND day = ?1 AND state IN ('pending', 'done', 'dry')",
        )?;
        let rows = query.query_map([now / DAY], |row| row.get::<_, String>(0))?;
        let mut sum: u128 = 0;
        for row in rows {
            sum = sum.saturating_add(number(&row?)?);
        }
        Ok(Amount::new(sum))
    }

    /// Bids sent that the chain has, or may have: batch, slot and state. For reports and tests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bids(&self) -> Result<Vec<(u32, String, String)>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT batch, slot, state FROM intent WHERE kind = 'bid' ORDER BY id")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn number(text: &str) -> Result<u128, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged)
}

#[cfg(test)]
mod tests;
