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

use act::{bidder, borrower, keeper, lender};
use clap::{Parser, Subcommand};
use failure::Failure;
use std::ffi::OsString;
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
    Standing(look::standing::StandingArgs),
    /// Lend quote to the market
    Supply(act::AmountArgs),
    Redeem(lender::RedeemArgs),
    Collect(lender::CollectArgs),
    Insure(lender::InsureArgs),
    /// Add collateral to the signer's position
    Deposit(act::AmountArgs),
    /// Borrow quote against the signer's collateral
    Borrow(act::AmountArgs),
    DepositAndBorrow(borrower::DepositAndBorrowArgs),
    Repay(borrower::RepayArgs),
    /// Take collateral out of the signer's position
    Withdraw(act::AmountArgs),
    RepayAndWithdraw(borrower::RepayAndWithdrawArgs),
    Close(borrower::CloseArgs),
    Leave(borrower::LeaveArgs),
    Reclaim(borrower::ReclaimArgs),
    Sync(borrower::SyncArgs),
    Fund(bidder::FundArgs),
    Unfund(bidder::UnfundArgs),
    Bid(act::BidArgs),
    Replace(bidder::ReplaceArgs),
    Cancel(bidder::CancelArgs),
    Claim(act::ClaimArgs),
    Stand(bidder::StandArgs),
    Unstand(bidder::UnstandArgs),
    ClaimStanding(bidder::ClaimStandingArgs),
    /// Open a batch of everything that can be liquidated, riskiest first
    Open(keeper::KeepArgs),
    /// Add what has become liquidatable to a batch whose first step has not begun
    Extend(keeper::KeepBatchArgs),
    /// Judge the ended steps of a batch: its one price, if its clock has ended. `settle` does so too
    Clear(keeper::KeepBatchArgs),
    /// End an auction whose ladder the market has left, so that the rest can be offered again
    Reprice(keeper::KeepBatchArgs),
    /// Settle a batch whose clock has ended: the vault is paid, and bids can be claimed
    Settle(keeper::KeepBatchArgs),
    Rest(keeper::RestArgs),
    /// Take the signer's rewards for opening and settling batches
    ClaimReward(keeper::KeepArgs),
    TakeInKind(keeper::TakeInKindArgs),
    /// Put announced parameters of the market into force, once their notice is over
    ApplyParams(keeper::KeepArgs),
    /// Put the announced configuration of the market's feed into force, once its notice is over
    ApplyFeed(keeper::KeepArgs),
    Poke(keeper::PokeArgs),
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
    breakwater_terminal::run(arguments, obey)
}

fn obey(cli: Cli) -> Result<(), Failure> {
    use act::Deed;
    use keeper::{BatchDeed, Deed as Kept};
    match cli.command {
        Command::Deploy(arguments) => deploy::deploy(&arguments),
        Command::Status(arguments) => look::status(&arguments),
        Command::Position(arguments) => look::position(&arguments),
        Command::Positions(arguments) => look::positions(&arguments),
        Command::Batch(arguments) => look::batch(&arguments),
        Command::Quote(arguments) => look::quote(&arguments),
        Command::Standing(arguments) => look::standing::standing(&arguments),
        Command::Supply(arguments) => act::act(Deed::Supply, &arguments),
        Command::Redeem(arguments) => lender::redeem(&arguments),
        Command::Collect(arguments) => lender::collect(&arguments),
        Command::Insure(arguments) => lender::insure(&arguments),
        Command::Deposit(arguments) => act::act(Deed::Deposit, &arguments),
        Command::Borrow(arguments) => act::act(Deed::Borrow, &arguments),
        Command::DepositAndBorrow(arguments) => borrower::deposit_and_borrow(&arguments),
        Command::Repay(arguments) => borrower::repay(&arguments),
        Command::Withdraw(arguments) => act::act(Deed::Withdraw, &arguments),
        Command::RepayAndWithdraw(arguments) => borrower::repay_and_withdraw(&arguments),
        Command::Close(arguments) => borrower::close(&arguments),
        Command::Leave(arguments) => borrower::leave(&arguments),
        Command::Reclaim(arguments) => borrower::reclaim(&arguments),
        Command::Sync(arguments) => borrower::sync(&arguments),
        Command::Fund(arguments) => bidder::fund(&arguments),
        Command::Unfund(arguments) => bidder::unfund(&arguments),
        Command::Bid(arguments) => act::bid(&arguments),
        Command::Replace(arguments) => bidder::replace(&arguments),
        Command::Cancel(arguments) => bidder::cancel(&arguments),
        Command::Claim(arguments) => act::claim(&arguments),
        Command::Stand(arguments) => bidder::stand(&arguments),
        Command::Unstand(arguments) => bidder::unstand(&arguments),
        Command::ClaimStanding(arguments) => bidder::claim_standing(&arguments),
        Command::Open(arguments) => keeper::keep(Kept::Open, &arguments),
        Command::Extend(arguments) => keeper::keep_batch(BatchDeed::Extend, &arguments),
        Command::Clear(arguments) => keeper::keep_batch(BatchDeed::Clear, &arguments),
        Command::Reprice(arguments) => keeper::keep_batch(BatchDeed::Reprice, &arguments),
        Command::Settle(arguments) => keeper::keep_batch(BatchDeed::Settle, &arguments),
        Command::Rest(arguments) => keeper::rest(&arguments),
        Command::ClaimReward(arguments) => keeper::keep(Kept::ClaimReward, &arguments),
        Command::TakeInKind(arguments) => keeper::take_in_kind(&arguments),
        Command::ApplyParams(arguments) => keeper::keep(Kept::ApplyParams, &arguments),
        Command::ApplyFeed(arguments) => keeper::keep(Kept::ApplyFeed, &arguments),
        Command::Poke(arguments) => keeper::poke(&arguments),
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
