//! Commands for development chains: test tokens, prices by hand, blocks.

use crate::act::{At, Session};
use crate::failure::Failure;
use crate::market::{parse_price, show_price};
use crate::on_node::{block_on, NodeArgs};
use crate::output::Answer;
use breakwater_chain::{Chain, Signer};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_sim::deployment::mint as mint_message;
use ink::codegen::TraitCallBuilder;

/// A token of the market.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Token {
    /// The token that secures debt
    Collateral,
    /// The token that is lent
    Quote,
}

/// Mint test tokens to the signer; tokens of your own refuse.
#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
    /// Which token
    #[arg(value_name = "TOKEN")]
    token: Token,

    /// How much, in whole tokens
    #[arg(value_name = "AMOUNT")]
    amount: String,

    #[command(flatten)]
    at: At,
}

/// Submit a price by hand; the signer has to be a feeder of the market.
#[derive(Debug, clap::Args)]
pub(crate) struct SubmitArgs {
    /// Whole quote tokens for a whole collateral token
    #[arg(value_name = "PRICE")]
    price: String,

    #[command(flatten)]
    at: At,
}

/// Make blocks on a development chain, which makes none in silence.
#[derive(Debug, clap::Args)]
pub(crate) struct AdvanceArgs {
    /// How many
    #[arg(value_name = "BLOCKS", default_value_t = 1)]
    blocks: u32,

    #[command(flatten)]
    node: NodeArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// `breakwaterctl mint`.
pub(crate) fn mint(arguments: &MintArgs) -> Result<(), Failure> {
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let (d, text) = (session.m.d, arguments.amount.as_str());
        let (token, amount) = match arguments.token {
            Token::Collateral => (d.collateral, session.m.parse_collateral(text)?),
            Token::Quote => (d.quote, session.m.parse_quote(text)?),
        };
        let message = mint_message(session.who.account_id(), amount.get());
        session.send(token, "mint", message).await?;
        let mut answer = Answer::default();
        match arguments.token {
            Token::Collateral => {
                let shown = session.m.collateral(amount);
                answer.add("minted", shown, "collateral");
            }
            Token::Quote => answer.add("minted", session.m.quote(amount), "quote"),
        }
        session.print(answer, arguments.at.market.json)
    })
}

/// `breakwaterctl submit`.
pub(crate) fn submit(arguments: &SubmitArgs) -> Result<(), Failure> {
    let price = parse_price(&arguments.price)?;
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let d = session.m.d;
        let now = session.m.node.now().await;
        let now = now.map_err(|error| Failure::Refused(error.to_string()))?;
        let message = d.oracle().call_mut().submit(d.feed, price, now);
        session.send(d.oracle, "submit", message).await?;
        let mut answer = Answer::default();
        answer.add("submitted", show_price(price), "quote per collateral");
        session.print(answer, arguments.at.market.json)
    })
}

/// `breakwaterctl advance`.
pub(crate) fn advance(arguments: &AdvanceArgs) -> Result<(), Failure> {
    block_on(async {
        let mut node = arguments.node.connect().await?;
        if !node.is_development() {
            return Err(Failure::Usage(format!(
                "the chain at {} makes its blocks itself: this is for development chains",
                node.url()
            )));
        }
        let failed = |error: breakwater_chain::QueryError| Failure::Refused(error.to_string());
        node.advance(arguments.blocks).await.map_err(failed)?;
        let mut answer = Answer::default();
        answer.add("block", node.block().await.map_err(failed)?, "");
        answer.print(arguments.json)
    })
}
