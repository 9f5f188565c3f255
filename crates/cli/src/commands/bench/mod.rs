//! `breakwater bench`: what messages cost and how fast they run.

mod block;
mod gas;
mod sheet;
mod speed;

use crate::failure::Failure;
use breakwater_terminal::complain;
use std::path::Path;

/// Measure what messages cost and how fast they run
#[derive(Debug, clap::Args)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, clap::Subcommand)]
enum Bench {
    Gas(gas::GasArgs),
    Speed(speed::SpeedArgs),
}

/// Runs the benchmark that `arguments` ask for.
pub(super) fn bench(arguments: &BenchArgs) -> Result<(), Failure> {
    match &arguments.bench {
        Bench::Gas(arguments) => gas::gas(arguments),
        Bench::Speed(arguments) => speed::speed(arguments),
    }
}

/// Puts text into the marked block of a document, or tells whether it is there already.
fn keep_block(file: &Path, command: &str, text: &str, check: bool) -> Result<(), Failure> {
    let shown = file.display();
    let document = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("cannot read `{shown}` ({error})")))?;
    let changed = block::replaced(&document, command, text).ok_or_else(|| {
        let (begin, end) = (block::begin(command), block::END);
        Failure::Usage(format!("`{shown}` has no block from `{begin}` to `{end}`"))
    })?;
    if changed == document {
        complain(&format!("{shown} is up to date"));
        return Ok(());
    }
    if check {
        return Err(Failure::Fault(format!(
            "`{shown}` is out of date: run `{command} --write {shown}`"
        )));
    }
    std::fs::write(file, changed)
        .map_err(|error| Failure::Usage(format!("cannot write `{shown}` ({error})")))?;
    complain(&format!("{shown} is rewritten"));
    Ok(())
}
