//! A deployed market: its record, the node it is on, and its units.

use crate::failure::Failure;
use crate::on_node::NodeArgs;
use breakwater_chain::AccountId;
use breakwater_core::lending::VIRTUAL_SHARES;
use breakwater_core::units::{Amount, Price, Shares};
use breakwater_interfaces::auction::BatchKey;
use breakwater_node::Node;
use breakwater_operator::config::{address, show_address};
use breakwater_operator::decimal;
use breakwater_operator::deploy::{ensure_width, show_hash, DeployError};
use breakwater_operator::record::{ContractRecord, Part, Record, RecordError};
use breakwater_operator::roots::{AuctionRoot, RootError, VaultRoot};
use breakwater_sim::deployment::Deployment;
use std::path::PathBuf;

/// Decimals of a price.
const PRICE_DECIMALS: u8 = 18;

/// Which market, and how to answer.
#[derive(Debug, clap::Args)]
pub(crate) struct MarketArgs {
    /// Record of the deployment, deployments/NAME.json
    #[arg(long, value_name = "FILE.json")]
    pub(crate) deployment: PathBuf,

    #[command(flatten)]
    pub(crate) node: NodeArgs,

    /// Print the result as JSON; amounts are exact decimal texts in whole tokens
    #[arg(long)]
    pub(crate) json: bool,
}

/// A market on a connected node.
pub(crate) struct OpenMarket {
    /// The node.
    pub(crate) node: Node,
    /// Its addresses.
    pub(crate) d: Deployment,
    record: Record,
}

impl MarketArgs {
    /// Reads the record, connects, and makes sure that the node is on the record's chain.
    pub(crate) async fn open(&self) -> Result<OpenMarket, Failure> {
        let path = &self.deployment;
        let record = Record::read(path)?.ok_or_else(|| {
            let path = path.display();
            Failure::Usage(format!(
                "{path}: no such file; `breakwaterctl deploy` writes one"
            ))
        })?;
        let form = |reason: &str| RecordError::Form {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let d = record
            .deployment()
            .ok_or_else(|| form("the deployment is not finished: run `deploy` again"))?;
        let node = self.node.connect().await?;
        if !record.is_on(node.genesis_hash()) {
            return Err(Failure::Usage(format!(
                "{} was deployed on another chain than the one at {}: name a node of that chain",
                path.display(),
                node.url()
            )));
        }
        ensure_width(node.native_bits())?;
        for part in [Part::Oracle, Part::Vault, Part::Auction] {
            self.check(&node, &record, part).await?;
        }
        let together = belong_together(&node, &d).await;
        together.map_err(|error| self.unfit(error))?;
        Ok(OpenMarket { node, d, record })
    }

    /// Makes sure that a contract is there, and that it is the one this program is made for.
    async fn check(&self, node: &Node, record: &Record, part: Part) -> Result<(), Failure> {
        let (path, what) = (self.deployment.display(), part.name());
        let recorded = record.part(part);
        let Some(contract) = recorded.and_then(ContractRecord::account) else {
            return Err(Failure::Usage(format!(
                "the address of the {what} in {path} is none: correct the file"
            )));
        };
        let found = node.code_hash(contract).await;
        let found = found.map_err(|error| Failure::Refused(error.to_string()))?;
        let Some(found) = found else {
            let shown = show_address(contract);
            return Err(Failure::Usage(format!(
                "there is no contract at {shown}, the {what} in {path}: correct the file"
            )));
        };
        let ours = part.contract().code_hash().map_err(DeployError::from)?;
        if found != ours {
            return Err(Failure::Usage(format!(
                "the {what} in {path} runs code {}, and this program is made for {}: use the \
                 breakwaterctl of that release, or correct the file",
                show_hash(&found),
                show_hash(&ours)
            )));
        }
        Ok(())
    }

    /// Contracts of the right code that are not those of a market that this program is made for.
    fn unfit(&self, error: RootError) -> Failure {
        let path = self.deployment.display();
        match error {
            RootError::OtherExtension { .. } | RootError::OtherForm(_) => Failure::Usage(format!(
                "{path}: {error}: use the breakwaterctl of that release, or correct the file"
            )),
            RootError::OtherContract { .. } => {
                Failure::Usage(format!("{path}: {error}: correct the file"))
            }
            other => Failure::from(DeployError::from(other)),
        }
    }
}

/// Makes sure that vault and auction run the released extensions, which their own code's hash does
/// not tell, and work with each other and with the oracle.
async fn belong_together(node: &Node, d: &Deployment) -> Result<(), RootError> {
    let vault = VaultRoot::checked(node, d.vault, d.oracle).await?;
    AuctionRoot::checked(node, d.auction, d.vault, d.oracle).await?;
    vault.ensure_auction(d.auction)
}

impl OpenMarket {
    /// Quote in whole tokens.
    pub(crate) fn quote(&self, amount: Amount) -> String {
        decimal::show(amount.get(), self.record.quote_decimals)
    }

    /// Collateral in whole tokens.
    pub(crate) fn collateral(&self, amount: Amount) -> String {
        decimal::show(amount.get(), self.record.collateral_decimals)
    }

    /// Quote from whole tokens.
    pub(crate) fn parse_quote(&self, text: &str) -> Result<Amount, Failure> {
        parse(text, self.record.quote_decimals).map(Amount::new)
    }

    /// Collateral from whole tokens.
    pub(crate) fn parse_collateral(&self, text: &str) -> Result<Amount, Failure> {
        parse(text, self.record.collateral_decimals).map(Amount::new)
    }

    /// Lenders' shares, of which one was worth a whole quote token when the market began.
    pub(crate) fn shares(&self, shares: Shares) -> String {
        decimal::show(shares.get(), self.share_decimals())
    }

    /// Lenders' shares from what [`Self::shares`] shows.
    pub(crate) fn parse_shares(&self, text: &str) -> Result<Shares, Failure> {
        parse(text, self.share_decimals()).map(Shares::new)
    }

    /// A unit of quote bought so many shares when the market began.
    fn share_decimals(&self) -> u8 {
        let more = u8::try_from(VIRTUAL_SHARES.ilog10()).unwrap_or_default();
        self.record.quote_decimals.saturating_add(more)
    }

    /// A batch of this market.
    pub(crate) fn batch(&self, number: u32) -> BatchKey {
        BatchKey {
            market: self.d.market,
            number,
        }
    }
}

/// A price in whole quote per whole collateral.
pub(crate) fn show_price(price: Price) -> String {
    decimal::show(price.get(), PRICE_DECIMALS)
}

/// A price from whole quote per whole collateral.
pub(crate) fn parse_price(text: &str) -> Result<Price, Failure> {
    parse(text, PRICE_DECIMALS).map(Price::new)
}

/// An account from its address, the option `--owner`.
pub(crate) fn parse_account(text: &str) -> Result<AccountId, Failure> {
    parse_address("--owner", text)
}

/// An account from its address, an option.
pub(crate) fn parse_address(option: &'static str, text: &str) -> Result<AccountId, Failure> {
    address(option, text).map_err(|error| Failure::Usage(error.to_string()))
}

fn parse(text: &str, decimals: u8) -> Result<u128, Failure> {
    decimal::units(text, decimals).map_err(|error| Failure::Usage(error.to_string()))
}
