//! What can be typed after `breakwater`, one module for each command.

mod bench;
mod demo;
mod replay;
mod simulate;

use crate::failure::Failure;
use clap::{Parser, Subcommand};
use std::{ffi::OsString, process::ExitCode};

/// Batch Dutch-auction liquidations for margin markets.
#[derive(Debug, Parser)]
#[command(name = "breakwater", version, propagate_version = true)]
// Without a command, say so in a line instead of a page.
#[command(arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Bench(bench::BenchArgs),
    Simulate(simulate::SimulateArgs),
    Replay(replay::ReplayArgs),
}

/// Runs the command that `arguments` spell, the program's name first.
///
/// The exit code is 0 for success, 2 where the user has to change something, 1 for every other
/// failure. A failure is one line on stderr.
pub fn run<A>(arguments: A) -> ExitCode
where
    A: IntoIterator,
    A::Item: Into<OsString> + Clone,
{
    breakwater_terminal::run(arguments, obey)
}

/// Reads a seed, for every command that has one.
fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("choose a whole number from 0 to {}", u64::MAX))
}

fn obey(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Simulate(arguments) => simulate::simulate(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}
