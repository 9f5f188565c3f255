//! `breakwaterctl`: markets on a node from the command line.

mod act;
mod advice;
mod bot;
mod demo;
mod deploy;
mod develop;
mod events;
mod failure;
mod look;
mod market;
mod meter;
mod on_node;
mod output;

use clap::{Parser, Subcommand};
use failure::Failure;
use output::complain;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Batch Dutch-auction liquidations for margin markets, on a node.
#[derive(Debug, Parser)]
#[command(name = "breakwaterctl", version, propagate_version = true)]
#[command(arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Deploy(deploy::DeployArgs),
    Status(look::StatusArgs),
    Position(look::PositionArgs),
    Positions(look::PositionsArgs),
    Batch(look::BatchArgs),
    Quote(look::QuoteArgs),
    /// Lend quote to the market
    Supply(act::AmountArgs),
    /// Add collateral to the signer's position
    Deposit(act::AmountArgs),
    /// Borrow quote against the signer's collateral
    Borrow(act::AmountArgs),
    /// Repay the signer's debt, at most what is owed
    Repay(act::AmountArgs),
    /// Take collateral out of the signer's position
    Withdraw(act::AmountArgs),
    Bid(act::BidArgs),
    Claim(act::ClaimArgs),
    Trip(act::TripArgs),
    Maintain(act::MaintainArgs),
    Bot(bot::BotArgs),
    Events(events::EventsArgs),
    Demo(demo::DemoArgs),
    Mint(develop::MintArgs),
    Submit(develop::SubmitArgs),
    Advance(develop::AdvanceArgs),
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
    match obey(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&format!("error: {}", advice::explain(&failure.to_string())));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn obey<A>(arguments: A) -> Result<(), Failure>
where
    A: IntoIterator,
    A::Item: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let text = error.render().to_string();
            let words = text.lines().map(str::trim);
            let words = words.take_while(|line| !line.starts_with("Usage:"));
            let words: Vec<_> = words.filter(|line| !line.is_empty()).collect();
            let words = words.join(" ");
            let words = words.strip_prefix("error: ").unwrap_or(&words);
            return Err(Failure::Usage(format!(
                "{words} (`--help` lists what there is)"
            )));
        }
        // Not errors but requests: `--help` and `--version`.
        Err(request) => {
            let printed = request.print().and_then(|()| std::io::stdout().flush());
            return printed.map_err(Failure::Stdout);
        }
    };
    use act::Deed;
    match cli.command {
        Command::Deploy(arguments) => deploy::deploy(&arguments),
        Command::Status(arguments) => look::status(&arguments),
        Command::Position(arguments) => look::position(&arguments),
        Command::Positions(arguments) => look::positions(&arguments),
        Command::Batch(arguments) => look::batch(&arguments),
        Command::Quote(arguments) => look::quote(&arguments),
        Command::Supply(arguments) => act::act(Deed::Supply, &arguments),
        Command::Deposit(arguments) => act::act(Deed::Deposit, &arguments),
        Command::Borrow(arguments) => act::act(Deed::Borrow, &arguments),
        Command::Repay(arguments) => act::act(Deed::Repay, &arguments),
        Command::Withdraw(arguments) => act::act(Deed::Withdraw, &arguments),
        Command::Bid(arguments) => act::bid(&arguments),
        Command::Claim(arguments) => act::claim(&arguments),
        Command::Trip(arguments) => act::trip(&arguments),
        Command::Maintain(arguments) => act::maintain(&arguments),
        Command::Bot(arguments) => bot::bot(&arguments),
        Command::Events(arguments) => events::events(&arguments),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Mint(arguments) => develop::mint(&arguments),
        Command::Submit(arguments) => develop::submit(&arguments),
        Command::Advance(arguments) => develop::advance(&arguments),
    }
}
