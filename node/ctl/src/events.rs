//! `breakwaterctl events`: the log of a deployment's events, for `breakwater replay events`.

use crate::failure::Failure;
use crate::market::{MarketArgs, OpenMarket};
use crate::meter::Meter;
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_bot::run::stop_on_signals;
use breakwater_chain::{Chain, Emitted, QueryError};
use breakwater_sim::replay::log::{read, write_entries, write_head, Contracts, Entry, LogError};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Blocks that are asked for at a time.
const AT_A_TIME: u32 = 32;

/// Pause between two looks for new blocks.
const PAUSE: Duration = Duration::from_secs(1);

/// Write what vault and auction have emitted as a log, one event a line.
///
/// `breakwater replay events FILE.jsonl` rebuilds every balance from it. The log begins with the
/// block that brought the vault and goes to the last final block. Where the file is there it goes
/// on where it ended, also after it was cut off.
#[derive(Debug, clap::Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    market: MarketArgs,

    /// The log; without it, standard output
    #[arg(long, value_name = "FILE.jsonl")]
    output: Option<PathBuf>,

    /// First block. A log that begins after the deployment cannot be replayed by itself
    #[arg(long, value_name = "BLOCK")]
    from: Option<u32>,

    /// Last block
    #[arg(long, value_name = "BLOCK")]
    to: Option<u32>,

    /// Go on with new blocks, until --to or until stopped
    #[arg(long)]
    follow: bool,

    /// Also take blocks that are not final and can still be undone
    #[arg(long, conflicts_with = "follow")]
    best: bool,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

/// Where a log is written, and how far it is.
struct Log {
    to: Box<dyn Write>,
    contracts: Contracts,
    /// Number of the next event.
    sequence: u64,
    /// The next block.
    next: u32,
    /// Events of the next block that are in the log already: the log was cut off within it.
    known: Vec<Entry>,
}

/// `breakwaterctl events`.
pub(crate) fn events(arguments: &EventsArgs) -> Result<(), Failure> {
    let (json, to_file) = (arguments.market.json, arguments.output.is_some());
    if json && !to_file {
        let reason = "--json tells of a file: name one with --output; the log itself is JSON lines";
        return Err(Failure::Usage(reason.to_owned()));
    }
    let stop = stop_on_signals()
        .map_err(|error| Failure::Refused(format!("cannot listen to signals ({error})")))?;
    let written = block_on(async {
        let m = arguments.market.open().await?;
        let contracts = Contracts {
            vault: m.d.vault,
            auction: m.d.auction,
        };
        let mut log = match &arguments.output {
            None => Log::new(Box::new(io::stdout()), contracts),
            Some(path) => Log::at(path, contracts, arguments.from)?,
        };
        if log.next == 0 {
            log.next = match arguments.from {
                Some(from) => from,
                None => m.began().await?,
            };
            write_head(&mut log.to, &contracts).map_err(Failure::Log)?;
        }
        let first = log.next;
        log.write(&m, arguments, &stop).await?;
        if !to_file {
            return Ok(());
        }
        let mut answer = Answer::default();
        answer.add("from_block", first, "");
        answer.add("to_block", log.next.saturating_sub(1), "");
        answer.add("events", log.sequence, "in the log");
        answer.print(json)
    });
    match written {
        // A reader that has seen enough and closed the pipe is no failure.
        Err(Failure::Log(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn unanswered(error: QueryError) -> Failure {
    Failure::Refused(error.to_string())
}

impl OpenMarket {
    /// The block that brought the first of the log's contracts.
    async fn began(&self) -> Result<u32, Failure> {
        let found = self.node.created_in(self.d.vault).await;
        found.map_err(unanswered)?.ok_or_else(|| {
            Failure::Usage("the vault is not on the chain: check the record".to_owned())
        })
    }

    /// The last block that a log may have now.
    async fn last(&self, arguments: &EventsArgs) -> Result<u32, Failure> {
        let last = match arguments.best {
            true => self.node.block().await,
            false => self.node.final_block().await,
        };
        let last = last.map_err(unanswered)?;
        match arguments.to {
            Some(to) if to > last && !arguments.follow => {
                let kind = if arguments.best { "" } else { "final " };
                Err(Failure::Usage(format!(
                    "there is no {kind}block {to} yet, the last one is {last}: wait, or give --follow"
                )))
            }
            Some(to) => Ok(to.min(last)),
            None => Ok(last),
        }
    }
}

impl Log {
    fn new(to: Box<dyn Write>, contracts: Contracts) -> Self {
        Self {
            to,
            contracts,
            sequence: 0,
            next: 0,
            known: Vec::new(),
        }
    }

    /// A log in a file: a new one, or where it ended.
    fn at(path: &Path, contracts: Contracts, from: Option<u32>) -> Result<Self, Failure> {
        let unusable = |reason: String| Failure::Usage(format!("{}: {reason}", path.display()));
        let io = |error: io::Error| unusable(error.to_string());
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        cut_torn_line(&mut file).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let (mut last, mut known, mut sequence) = (0, Vec::new(), 0);
        match read(BufReader::new(&file)) {
            Err(LogError::Empty) => {}
            Err(error) => return Err(unusable(format!("is no log of events ({error})"))),
            Ok((found, _)) if found != contracts => {
                return Err(unusable(
                    "is the log of another deployment: name another file".to_owned(),
                ))
            }
            Ok((_, entries)) => {
                if from.is_some() {
                    let reason =
                        "is there, and a log goes on where it ended: leave out --from, or \
                                  name another file";
                    return Err(unusable(reason.to_owned()));
                }
                for entry in entries {
                    let entry = entry.map_err(|error| unusable(error.to_string()))?;
                    if entry.emitted.block != last {
                        known.clear();
                    }
                    (last, sequence) = (entry.emitted.block, entry.sequence + 1);
                    known.push(entry);
                }
            }
        }
        if known.is_empty() {
            // At most the first line: it is written again.
            file.set_len(0).map_err(io)?;
        }
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut log = Self::new(Box::new(BufWriter::new(file)), contracts);
        (log.next, log.known, log.sequence) = (last, known, sequence);
        Ok(log)
    }

    /// Writes block after block as far as there is one.
    async fn write(
        &mut self,
        m: &OpenMarket,
        arguments: &EventsArgs,
        stop: &AtomicBool,
    ) -> Result<(), Failure> {
        let meter = Meter::new(arguments.quiet || arguments.output.is_none());
        let until = m.last(arguments).await?;
        let blocks = until.saturating_add(1).saturating_sub(self.next);
        meter.stage("reading blocks", blocks.into());
        while !stop.load(Ordering::Relaxed) {
            let last = m.last(arguments).await?;
            while self.next <= last && !stop.load(Ordering::Relaxed) {
                let end = last.min(self.next.saturating_add(AT_A_TIME - 1));
                self.blocks(m, end, &meter).await?;
            }
            let ended = arguments.to.is_some_and(|to| self.next > to);
            if ended || !arguments.follow {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Writes the blocks up to one.
    async fn blocks(&mut self, m: &OpenMarket, end: u32, meter: &Meter) -> Result<(), Failure> {
        let contracts = [self.contracts.vault, self.contracts.auction];
        let asked = (self.next..=end).map(|block| m.node.emitted(&contracts, block));
        for (block, found) in (self.next..).zip(futures::future::join_all(asked).await) {
            let found = found.map_err(unanswered)?.ok_or_else(|| {
                Failure::Refused(format!("the node has no block {block} any more: try again"))
            })?;
            self.block(block, found)?;
            meter.done();
        }
        self.to.flush().map_err(Failure::Log)
    }

    /// Writes a block's events, except those that the log has.
    fn block(&mut self, block: u32, found: Vec<Emitted>) -> Result<(), Failure> {
        let known = std::mem::take(&mut self.known);
        let same = known.len() <= found.len()
            && known
                .iter()
                .zip(&found)
                .all(|(known, found)| known.emitted == *found);
        if !same {
            return Err(Failure::Usage(format!(
                "block {block} of the chain has other events than the log: the log is of blocks that \
                 were undone, begin a new one"
            )));
        }
        let entries: Vec<_> = (self.sequence..)
            .zip(found.into_iter().skip(known.len()))
            .map(|(sequence, emitted)| Entry { sequence, emitted })
            .collect();
        write_entries(&mut self.to, &self.contracts, &entries).map_err(Failure::Log)?;
        self.sequence += entries.len() as u64;
        self.next = block.saturating_add(1);
        Ok(())
    }
}

/// Cuts off a last line without an end: whoever wrote it was stopped in the middle.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    const PIECE: u64 = 4_096;
    let mut end = file.metadata()?.len();
    let mut whole = 0;
    while end > 0 {
        let begin = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(begin))?;
        Read::by_ref(file)
            .take(end - begin)
            .read_to_end(&mut piece)?;
        if let Some(place) = piece.iter().rposition(|byte| *byte == b'\n') {
            whole = begin + place as u64 + 1;
            break;
        }
        end = begin;
    }
    file.set_len(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_removed_and_whole_ones_stay() {
        let long = "x".repeat(10_000);
        for (text, kept) in [
            ("", ""),
            ("{\"a\":1", ""),
            ("{}\n", "{}\n"),
            ("{}\n{\"a\"", "{}\n"),
            (&format!("{{}}\n{long}"), "{}\n"),
            (&format!("{long}\n{long}"), &format!("{long}\n")),
        ] {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(text.as_bytes()).expect("writes");
            cut_torn_line(&mut file).expect("cuts");
            let mut left = String::new();
            file.seek(SeekFrom::Start(0)).expect("seeks");
            file.read_to_string(&mut left).expect("reads");
            assert_eq!(left, kept);
        }
    }
}
