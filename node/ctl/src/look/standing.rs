//! `breakwaterctl standing`: the tiers of standing bids, and what an account has in them.

use crate::failure::Failure;
use crate::market::{parse_account, MarketArgs};
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_core::standing::account::Worth;
use breakwater_core::standing::Standing;
use breakwater_interfaces::auction::AuctionContractError;
use breakwater_interfaces::standing::StandingBids;
use ink::codegen::TraitCallBuilder;
use serde_json::json;

/// Show the tiers of standing bids, the shallowest first: what stands in them, waits to enter, and is
/// reserved by running batches.
#[derive(Debug, clap::Args)]
pub(crate) struct StandingArgs {
    /// Show what this address has in them instead
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,

    #[command(flatten)]
    market: MarketArgs,
}

/// `breakwaterctl standing`.
pub(crate) fn standing(arguments: &StandingArgs) -> Result<(), Failure> {
    let owner = arguments.owner.as_deref().map(parse_account).transpose()?;
    block_on(async {
        let m = arguments.market.open().await?;
        let (d, mut answer) = (m.d, Answer::default());
        let message = d.standing().call().standing(d.market);
        let standing: Standing = m.ask(d.auction, "standing", message).await?;
        let mut tiers = Vec::new();
        for tier in standing.tiers() {
            let percent = tier.discount.percent();
            let Some(owner) = owner else {
                tiers.push(json!({
                    "percent": percent,
                    "standing": m.quote(tier.pool.quote),
                    "reserved": m.quote(tier.reserved),
                    "waiting": m.quote(tier.waiting),
                    "payable": m.quote(tier.payable),
                    "collateral": m.collateral(tier.collateral),
                }));
                continue;
            };
            let message = d.standing().call().stake_of(d.market, percent, owner);
            let worth = m.view::<Worth, AuctionContractError>(d.auction, "stake", message);
            let worth = worth.await?;
            if worth == Worth::default() {
                continue;
            }
            tiers.push(json!({
                "percent": percent,
                "standing": m.quote(worth.standing),
                "waiting": m.quote(worth.waiting),
                "leaving": m.quote(worth.leaving),
                "payable": m.quote(worth.payable),
                "collateral": m.collateral(worth.collateral),
            }));
        }
        answer.add("tiers", tiers, "");
        answer.print(arguments.market.json)
    })
}
