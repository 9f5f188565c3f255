//! Bringing a chain to what a market's description says, step by step, from wherever an earlier run
//! ended.

use std::fmt::Debug;

use breakwater_chain::{AccountId, CallError, Constructor, Message, Receipt, Signer};
use breakwater_core::margin::Margin;
use breakwater_core::oracle::Feed;
use breakwater_interfaces::auction::{AuctionMarket, LiquidationAuction};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::{PROBE, PSP22};
use breakwater_interfaces::vault::{MarginVault, Market, VaultError};
use breakwater_sim::artifacts::{Contract, DamagedBundle};
use breakwater_sim::deployment::{mint, AuctionRef, OracleRef, TokenRef, VaultRef};
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use scale::{Decode, Encode};

use crate::config::{show_address, MarketConfig};
use crate::record::{ContractRecord, Record, RecordError, SCHEMA};
pub use crate::summary::{Step, Summary};
use crate::target::{Code, Target};

/// Steps that are left out where the token exists.
const COLLATERAL_STEP: &str = "collateral token";
const QUOTE_STEP: &str = "quote token";

/// Why a deployment stopped. What was done before is recorded; the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The record cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A contract's code cannot be read.
    #[error(transparent)]
    Bundle(#[from] DamagedBundle),
    /// A call was refused or did not run.
    #[error("{step}: {reason}")]
    Step {
        /// What was being done.
        step: String,
        /// What the chain answered.
        reason: String,
    },
    /// The chain is not as the description or the record says.
    #[error(
        "what is deployed differs: {0}; deploy under another name, or change it by governance"
    )]
    Differs(String),
}

fn failed<E: Debug>(step: &str) -> impl FnOnce(CallError<E>) -> DeployError + '_ {
    move |error| DeployError::Step {
        step: step.to_owned(),
        reason: error.to_string(),
    }
}

/// A run of a deployment.
pub struct Run<'a, C: Target> {
    chain: &'a mut C,
    governor: &'a C::Signer,
    config: &'a MarketConfig,
    record: Record,
    summary: Summary,
    /// Keeps the record; called after every step.
    keep: &'a mut dyn FnMut(&Record) -> Result<(), RecordError>,
    /// Told of every step before it begins.
    progress: &'a mut dyn FnMut(&str),
    /// Only finds out what would be done.
    planning: bool,
}

/// Stands in a plan for a contract that would be instantiated.
const PLANNED: [u8; 32] = [0; 32];

fn is_planned(contract: AccountId) -> bool {
    contract == AccountId::from(PLANNED)
}

/// Deploys what is missing. `record` is what an earlier run left, `keep` writes it after each step,
/// `progress` is told the name of each step.
///
/// # Errors
/// [`DeployError`].
pub async fn deploy<C: Target>(
    chain: &mut C,
    governor: &C::Signer,
    config: &MarketConfig,
    record: Option<Record>,
    keep: &mut dyn FnMut(&Record) -> Result<(), RecordError>,
    progress: &mut dyn FnMut(&str),
) -> Result<(Record, Summary), DeployError> {
    run(chain, governor, config, record, keep, progress, false).await
}

/// What [`deploy`] would do: its steps, without costs. Everything recorded is checked as there, and
/// nothing is sent.
///
/// # Errors
/// [`DeployError::Differs`] as [`deploy`]; others where the chain cannot be asked.
pub async fn plan<C: Target>(
    chain: &mut C,
    governor: &C::Signer,
    config: &MarketConfig,
    record: Option<Record>,
) -> Result<Vec<String>, DeployError> {
    let keep = &mut |_: &Record| Ok(());
    let (_, summary) = run(chain, governor, config, record, keep, &mut |_| {}, true).await?;
    Ok(summary.steps.into_iter().map(|step| step.name).collect())
}

async fn run<C: Target>(
    chain: &mut C,
    governor: &C::Signer,
    config: &MarketConfig,
    record: Option<Record>,
    keep: &mut dyn FnMut(&Record) -> Result<(), RecordError>,
    progress: &mut dyn FnMut(&str),
    planning: bool,
) -> Result<(Record, Summary), DeployError> {
    let (name, genesis) = chain.identity();
    let fresh = Record {
        schema: SCHEMA,
        name: config.name.clone(),
        chain: name,
        genesis: hex::encode(genesis),
        governor: show_address(governor.account_id()),
        collateral_decimals: config.params.collateral_decimals,
        quote_decimals: config.params.quote_decimals,
        feed: config.params.feed,
        ..Record::default()
    };
    let record = match record {
        Some(record) => {
            agree("the chain", &record.genesis, &fresh.genesis)?;
            agree("the governor", &record.governor, &fresh.governor)?;
            record
        }
        None => fresh,
    };
    let mut run = Run {
        chain,
        governor,
        config,
        record,
        summary: Summary::default(),
        keep,
        progress,
        planning,
    };
    run.contracts().await?;
    run.feed().await?;
    run.market().await?;
    Ok((run.record, run.summary))
}

fn agree(what: &str, found: &str, wanted: &str) -> Result<(), DeployError> {
    if found == wanted {
        return Ok(());
    }
    Err(DeployError::Differs(format!(
        "{what} is {found}, not {wanted}"
    )))
}

fn new() -> ExecutionInput<ink::env::call::utils::EmptyArgumentList> {
    ExecutionInput::new(Selector::new(ink::selector_bytes!("new")))
}

impl<C: Target> Run<'_, C> {
    async fn contracts(&mut self) -> Result<(), DeployError> {
        let governor = self.governor.account_id();
        let (config, params) = (self.config, &self.config.params);
        let token = |name: &str, symbol: &str, decimals: u8| {
            new()
                .push_arg(0u128)
                .push_arg(Some(name.to_owned()))
                .push_arg(Some(symbol.to_owned()))
                .push_arg(decimals)
        };
        let arguments = token("Test Ether", "tETH", params.collateral_decimals);
        let found = (self.record.collateral.clone(), config.collateral);
        let collateral = self.token(COLLATERAL_STEP, found, &arguments).await?;
        self.record.collateral = Some(collateral);
        self.keep()?;
        let arguments = token("Test Dollar", "tUSD", params.quote_decimals);
        let found = (self.record.quote.clone(), config.quote);
        let quote = self.token(QUOTE_STEP, found, &arguments).await?;
        self.record.quote = Some(quote);
        self.keep()?;

        let found = self.record.oracle.clone();
        let arguments = new().push_arg(governor);
        let oracle = self
            .contract("oracle adapter", Contract::OracleAdapter, found, &arguments)
            .await?;
        self.record.oracle = Some(oracle);
        self.keep()?;
        // Instances that nobody uses or can remove keep the extensions' code on the chain.
        let found = self.record.vault_ext.clone();
        let (nobody, ext) = (AccountId::from([0; 32]), Contract::VaultExt.code_hash()?);
        let arguments = new().push_arg(nobody).push_arg(nobody).push_arg(ext);
        let kind = Contract::VaultExt;
        let extension = self
            .contract("vault extension", kind, found, &arguments)
            .await?;
        self.record.vault_ext = Some(extension);
        self.keep()?;
        let found = self.record.vault.clone();
        let arguments = new()
            .push_arg(governor)
            .push_arg(self.oracle()?)
            .push_arg(ext);
        let vault = self
            .contract("margin vault", Contract::MarginVault, found, &arguments)
            .await?;
        self.record.vault = Some(vault);
        self.keep()?;
        let found = self.record.auction_ext.clone();
        let ext = Contract::AuctionExt.code_hash()?;
        // An array is encoded as its items are.
        let arguments = new().push_arg([nobody; 3]).push_arg(ext);
        let kind = Contract::AuctionExt;
        let extension = self
            .contract("auction extension", kind, found, &arguments)
            .await?;
        self.record.auction_ext = Some(extension);
        self.keep()?;
        let found = self.record.auction.clone();
        let (vault, oracle) = (self.vault()?, self.oracle()?);
        let arguments = new().push_arg([governor, vault, oracle]).push_arg(ext);
        let kind = Contract::LiquidationAuction;
        let auction = self
            .contract("liquidation auction", kind, found, &arguments)
            .await?;
        self.record.auction = Some(auction);
        self.keep()
    }

    async fn feed(&mut self) -> Result<(), DeployError> {
        let oracle = self.oracle()?;
        let (number, wanted) = (self.record.feed, self.config.feed);
        let calls = || OracleRef::from(oracle);
        let found: Option<Feed<AccountId>> = match is_planned(oracle) {
            true => None,
            false => {
                let message = calls().call().feed(number);
                self.ask("feed", oracle, message).await?
            }
        };
        let present = match found {
            Some(feed) if feed.config != wanted => {
                let differs = format!("feed {number} has {:?}, not {wanted:?}", feed.config);
                return Err(DeployError::Differs(differs));
            }
            Some(feed) => feed.feeders.iter().map(|feeder| feeder.account).collect(),
            None => {
                let message = calls().call_mut().register_feed(number, wanted);
                self.step("register the feed", oracle, message).await?;
                Vec::new()
            }
        };
        for feeder in &self.config.feeders {
            if !present.contains(feeder) {
                let message = calls().call_mut().add_feeder(number, *feeder);
                let step = format!("add the feeder {}", show_address(*feeder));
                self.step(&step, oracle, message).await?;
            }
        }
        Ok(())
    }

    async fn market(&mut self) -> Result<(), DeployError> {
        let (vault, auction) = (self.vault()?, self.auction()?);
        let calls = || VaultRef::from(vault);
        let wanted = Market {
            collateral: self.account(&self.record.collateral, "collateral token")?,
            quote: self.account(&self.record.quote, "quote token")?,
            params: self.config.params.clone(),
            easing: None,
            proposal: None,
            margin: Margin::default(),
        };
        let mut number = self.record.market;
        // A run that broke off may have created the market without recording it.
        let candidates = match (is_planned(vault), number) {
            (true, _) => 0..0,
            (false, Some(number)) => number..number + 1,
            (false, None) => 0..16,
        };
        for candidate in candidates {
            let found: Option<Market> = self
                .ask("market", vault, calls().call().market(candidate))
                .await?;
            // What volatility adds to the margin moves by itself.
            let margin = wanted.margin;
            let found = found.map(|market| Market { margin, ..market });
            match found {
                Some(market) if market == wanted => number = Some(candidate),
                Some(market) => {
                    if number.is_some() {
                        let differs = difference(&market, &wanted);
                        return Err(DeployError::Differs(format!(
                            "market {candidate}: {differs}"
                        )));
                    }
                }
                None if number == Some(candidate) => {
                    let differs = format!("there is no market {candidate}");
                    return Err(DeployError::Differs(differs));
                }
                None => break,
            }
        }
        if number.is_none() && self.planning {
            for step in ["name the auction", "try the tokens", "create the market"] {
                self.planned(step);
            }
        } else if number.is_none() {
            // There is no asking which auction is named. It can be named once only, and nobody but
            // this governor can have done that.
            let message = calls().call_mut().set_auction(auction);
            match self.try_send("name the auction", vault, message).await? {
                Ok(_) | Err(VaultError::AuctionAlreadySet) => {}
                Err(error) => return Err(refused("name the auction", &error)),
            }
            for (what, token) in [("collateral", wanted.collateral), ("quote", wanted.quote)] {
                self.probe(what, token, vault).await?;
            }
            let message =
                calls()
                    .call_mut()
                    .create_market(wanted.collateral, wanted.quote, wanted.params);
            let receipt = self.send("create the market", vault, message).await?;
            number = Some(receipt.value);
        }
        let calls = || AuctionRef::from(auction);
        let registered: Option<AuctionMarket> = match number {
            Some(number) if !is_planned(auction) => {
                let message = calls().call().market(number);
                self.ask("registered market", auction, message).await?
            }
            _ => None,
        };
        if registered.is_none() {
            let message = calls()
                .call_mut()
                .register_market(number.unwrap_or_default());
            self.step("register the market", auction, message).await?;
        }
        self.record.market = number;
        self.keep()
    }

    /// Holds and approves what the vault moves back and forth to try a market's token.
    async fn probe(
        &mut self,
        what: &str,
        token: AccountId,
        vault: AccountId,
    ) -> Result<(), DeployError> {
        let governor = self.governor.account_id();
        let held: u128 = self
            .ask(
                "balance of the governor",
                token,
                TokenRef::from(token).call().balance_of(governor),
            )
            .await?;
        let given = match what {
            "collateral" => self.config.collateral,
            _ => self.config.quote,
        };
        if held < PROBE.get() {
            if given.is_some() {
                return Err(DeployError::Step {
                    step: format!("try the {what} token"),
                    reason: format!(
                        "the governor needs {} base units of it, which come back, and holds {held}",
                        PROBE.get()
                    ),
                });
            }
            let step = format!("mint {what} to try it");
            self.send(&step, token, mint(governor, PROBE.get())).await?;
        }
        let message = TokenRef::from(token).call_mut().approve(vault, PROBE.get());
        let step = format!("approve {what} to try it");
        self.send(&step, token, message).await?;
        Ok(())
    }

    /// A token: the description's, the record's, or a new one for tests.
    async fn token<A: Encode>(
        &mut self,
        step: &str,
        (found, given): (Option<ContractRecord>, Option<AccountId>),
        arguments: &ExecutionInput<A>,
    ) -> Result<ContractRecord, DeployError> {
        let Some(given) = given else {
            return self
                .contract(step, Contract::TestToken, found, arguments)
                .await;
        };
        let wanted = ContractRecord::new(given, None);
        if let Some(found) = found {
            agree(step, &found.address, &wanted.address)?;
        }
        match self.chain.code(given).await.map_err(failed(step))? {
            Code::Missing => Err(DeployError::Differs(format!(
                "there is no contract at {}, the {step}",
                wanted.address
            ))),
            _ => Ok(wanted),
        }
    }

    /// A contract of ours: the record's, if its code is the released one, or a new one.
    async fn contract<A: Encode>(
        &mut self,
        step: &str,
        kind: Contract,
        found: Option<ContractRecord>,
        arguments: &ExecutionInput<A>,
    ) -> Result<ContractRecord, DeployError> {
        let hash = kind.code_hash()?;
        let contract = match found.as_ref().and_then(ContractRecord::account) {
            Some(contract) => contract,
            None if self.planning => {
                self.planned(step);
                return Ok(ContractRecord::new(PLANNED.into(), Some(hash)));
            }
            None => {
                (self.progress)(step);
                let constructor = Constructor::<()>::new(arguments);
                // The name in the salt keeps deployments of one governor apart.
                let salt = format!("{}/{step}", self.record.name);
                let code = kind.code()?;
                let receipt = self
                    .chain
                    .instantiate(self.governor, &code, constructor, salt.as_bytes())
                    .await;
                let receipt = match receipt {
                    Err(CallError::Dispatch(reason)) if reason.contains("DuplicateContract") => {
                        let reason =
                            "there is one of this name and governor, but not in the record";
                        return Err(DeployError::Differs(format!("{step}: {reason}")));
                    }
                    other => other.map_err(failed(step))?,
                };
                self.note(step, &receipt);
                receipt.value
            }
        };
        match self.chain.code(contract).await.map_err(failed(step))? {
            Code::Missing => Err(DeployError::Differs(format!(
                "there is no contract at {}, the {step} of the record",
                show_address(contract)
            ))),
            Code::Hash(other) if other != hash => Err(DeployError::Differs(format!(
                "the {step} runs code {}, not the released {}",
                hex::encode(other),
                hex::encode(hash)
            ))),
            _ => Ok(ContractRecord::new(contract, Some(hash))),
        }
    }

    async fn send<T: Decode, E: Decode + Debug>(
        &mut self,
        step: &str,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, DeployError> {
        self.try_send(step, contract, message)
            .await?
            .map_err(|error| refused(step, &error))
    }

    /// Sends a message; in a plan only names the step.
    async fn step<T: Decode, E: Decode + Debug>(
        &mut self,
        step: &str,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<(), DeployError> {
        if self.planning {
            self.planned(step);
            return Ok(());
        }
        self.send(step, contract, message).await.map(|_| ())
    }

    fn planned(&mut self, step: &str) {
        self.summary.add(Step {
            name: step.to_owned(),
            fee: 0,
            deposit: 0,
        });
    }

    async fn try_send<T: Decode, E: Decode + Debug>(
        &mut self,
        step: &str,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Result<Receipt<T>, E>, DeployError> {
        (self.progress)(step);
        match self.chain.call(self.governor, contract, message).await {
            Ok(receipt) => {
                self.note(step, &receipt);
                Ok(Ok(receipt))
            }
            Err(CallError::Reverted(error)) => Ok(Err(error)),
            Err(other) => Err(failed(step)(other)),
        }
    }

    async fn ask<T: Decode>(
        &self,
        step: &str,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, DeployError> {
        self.chain
            .query(contract, contract, message)
            .await
            .map_err(failed(step))
    }

    fn note<T>(&mut self, step: &str, receipt: &Receipt<T>) {
        self.summary.add(Step {
            name: step.to_owned(),
            fee: receipt.fee,
            deposit: receipt.storage_deposit,
        });
    }

    fn keep(&mut self) -> Result<(), DeployError> {
        Ok((self.keep)(&self.record)?)
    }

    fn oracle(&self) -> Result<AccountId, DeployError> {
        self.account(&self.record.oracle, "oracle adapter")
    }

    fn vault(&self) -> Result<AccountId, DeployError> {
        self.account(&self.record.vault, "margin vault")
    }

    fn auction(&self) -> Result<AccountId, DeployError> {
        self.account(&self.record.auction, "liquidation auction")
    }

    fn account(
        &self,
        contract: &Option<ContractRecord>,
        what: &str,
    ) -> Result<AccountId, DeployError> {
        let account = contract.as_ref().and_then(ContractRecord::account);
        account.ok_or_else(|| DeployError::Differs(format!("the record has no {what}")))
    }
}

fn refused<E: Debug>(step: &str, error: &E) -> DeployError {
    DeployError::Step {
        step: step.to_owned(),
        reason: format!("refused with {error:?}"),
    }
}

/// Which parts of a market are not as wanted.
fn difference(found: &Market, wanted: &Market) -> String {
    let pretty = |market: &Market| {
        let text = format!("{market:#?}");
        text.lines()
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let (found, wanted) = (pretty(found), pretty(wanted));
    let lines: Vec<_> = found
        .iter()
        .zip(&wanted)
        .filter(|(found, wanted)| found != wanted)
        .map(|(found, wanted)| format!("{found} instead of {wanted}"))
        .collect();
    lines.join(" ")
}
