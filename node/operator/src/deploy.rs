//! Bringing a chain to what a market's description says, step by step, from wherever an earlier run
//! ended.

use std::fmt::Debug;

use breakwater_chain::{AccountId, CallError, Constructor, Message, Receipt, Signer};
use breakwater_core::margin::Margin;
use breakwater_core::oracle::Feed;
use breakwater_interfaces::auction::{AuctionMarket, LiquidationAuction};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::{PROBE, PSP22};
use breakwater_interfaces::vault::{MarginVault, Market};
use breakwater_sim::constructors;
use breakwater_sim::deployment::{mint, AuctionRef, OracleRef, TokenRef, VaultRef};
use ink::codegen::TraitCallBuilder;
use scale::Decode;

use crate::config::{show_address, MarketConfig};
use crate::cost::{Step, Summary, Wiring};
use crate::difference;
use crate::record::{ContractRecord, Part, Record, RecordError, SCHEMA};
use crate::roots::{AuctionRoot, VaultRoot};
use crate::target::{address_of, Target};

mod error;

pub use error::{ensure_width, show_hash, DeployError};

fn failed<E: Debug>(step: &str) -> impl FnOnce(CallError<E>) -> DeployError + '_ {
    move |error| DeployError::Step {
        step: step.to_owned(),
        reason: error.to_string(),
    }
}

/// A run of a deployment.
struct Run<'a, C: Target> {
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
    /// Contracts that a plan would instantiate, and the hashes of their code.
    planned: Vec<(AccountId, [u8; 32])>,
}

/// The contracts, deployed or planned.
struct Contracts {
    collateral: AccountId,
    quote: AccountId,
    oracle: AccountId,
    vault: AccountId,
    auction: AccountId,
    /// Whether the vault works with that auction already.
    named: bool,
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

/// What [`deploy`] would do, and what that would cost. Everything recorded is checked as there, and
/// nothing is sent. Steps are tried on the chain as it is; those that need what earlier steps would
/// do count as what they took when they were measured ([`Wiring`]).
///
/// # Errors
/// [`DeployError::Differs`] as [`deploy`]; others where the chain cannot be asked.
pub async fn plan<C: Target>(
    chain: &mut C,
    governor: &C::Signer,
    config: &MarketConfig,
    record: Option<Record>,
) -> Result<Summary, DeployError> {
    let keep = &mut |_: &Record| Ok(());
    let (_, summary) = run(chain, governor, config, record, keep, &mut |_| {}, true).await?;
    Ok(summary)
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
    ensure_width(chain.native_bits())?;
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
        planned: Vec::new(),
    };
    let contracts = run.contracts().await?;
    run.feed(contracts.oracle).await?;
    run.market(&contracts).await?;
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

impl<C: Target> Run<'_, C> {
    async fn contracts(&mut self) -> Result<Contracts, DeployError> {
        let governor = self.governor.account_id();
        let (config, params) = (self.config, &self.config.params);
        let new = constructors::test_collateral(params.collateral_decimals);
        let collateral = self.token(Part::Collateral, config.collateral, new).await?;
        let new = constructors::test_quote(params.quote_decimals);
        let quote = self.token(Part::Quote, config.quote, new).await?;
        let new = constructors::oracle(governor);
        let oracle = self.contract(Part::Oracle, new).await?;
        let new = constructors::vault_ext()?;
        self.contract(Part::VaultExt, new).await?;
        let new = constructors::vault(governor, oracle)?;
        let vault = self.contract(Part::Vault, new).await?;
        let root = match self.is_planned(vault) {
            true => None,
            false => Some(VaultRoot::checked(self.chain, vault, oracle).await?),
        };
        let new = constructors::auction(governor, vault, oracle)?;
        // An auction is named once only: here is where to say so, before another one is paid for.
        let named = root.filter(|root| root.auction.is_some());
        if let Some(root) = &named {
            root.ensure_auction(self.address(Part::Auction, &new)?)?;
        }
        self.contract(Part::AuctionExt, constructors::auction_ext()?)
            .await?;
        let auction = self.contract(Part::Auction, new).await?;
        if !self.is_planned(auction) {
            AuctionRoot::checked(self.chain, auction, vault, oracle).await?;
        }
        Ok(Contracts {
            collateral,
            quote,
            oracle,
            vault,
            auction,
            named: named.is_some(),
        })
    }

    async fn feed(&mut self, oracle: AccountId) -> Result<(), DeployError> {
        let (number, wanted) = (self.record.feed, self.config.feed);
        let calls = || OracleRef::from(oracle);
        let found: Option<Feed<AccountId>> = match self.is_planned(oracle) {
            true => None,
            false => {
                let message = calls().call().feed(number);
                self.ask("feed", oracle, message).await?
            }
        };
        let present = match found {
            Some(feed) if feed.config != wanted => {
                let (found, wanted) = (difference::feed(&feed.config), difference::feed(&wanted));
                let differs = difference::between(&found, &wanted);
                return Err(DeployError::Differs(format!("feed {number}: {differs}")));
            }
            Some(feed) => feed.feeders.iter().map(|feeder| feeder.account).collect(),
            None => {
                let message = calls().call_mut().register_feed(number, wanted);
                let step = "register the feed";
                self.step(step, Wiring::Feed, oracle, message).await?;
                Vec::new()
            }
        };
        for feeder in &self.config.feeders {
            if !present.contains(feeder) {
                let message = calls().call_mut().add_feeder(number, *feeder);
                let step = format!("add the feeder {}", show_address(*feeder));
                self.step(&step, Wiring::Feeder, oracle, message).await?;
            }
        }
        Ok(())
    }

    async fn market(&mut self, contracts: &Contracts) -> Result<(), DeployError> {
        let (vault, auction) = (contracts.vault, contracts.auction);
        let calls = || VaultRef::from(vault);
        let wanted = Market {
            collateral: contracts.collateral,
            quote: contracts.quote,
            params: self.config.params.clone(),
            easing: None,
            proposal: None,
            margin: Margin::default(),
        };
        let mut number = self.found_market(vault, &wanted).await?;
        if !contracts.named {
            let message = calls().call_mut().set_auction(auction);
            let step = "name the auction";
            self.step(step, Wiring::Name, vault, message).await?;
        }
        if number.is_none() {
            for (part, token) in [
                (Part::Collateral, wanted.collateral),
                (Part::Quote, wanted.quote),
            ] {
                self.probe(part, token, vault).await?;
            }
            let message =
                calls()
                    .call_mut()
                    .create_market(wanted.collateral, wanted.quote, wanted.params);
            let step = "create the market";
            let created = self.step(step, Wiring::Market, vault, message).await?;
            number = created.map(|receipt| receipt.value);
        }
        let calls = || AuctionRef::from(auction);
        let registered: Option<AuctionMarket> = match number {
            Some(number) if !self.is_planned(auction) => {
                let message = calls().call().market(number);
                self.ask("registered market", auction, message).await?
            }
            _ => None,
        };
        if registered.is_none() {
            let message = calls()
                .call_mut()
                .register_market(number.unwrap_or_default());
            let step = "register the market";
            self.step(step, Wiring::Register, auction, message).await?;
        }
        self.record.market = number;
        Ok((self.keep)(&self.record)?)
    }

    /// The number of the market: the record's, or that of one which a run that broke off created
    /// without recording it.
    async fn found_market(
        &self,
        vault: AccountId,
        wanted: &Market,
    ) -> Result<Option<u32>, DeployError> {
        let recorded = self.record.market;
        let candidates = match (self.is_planned(vault), recorded) {
            (true, _) => 0..0,
            (false, Some(number)) => number..number + 1,
            (false, None) => 0..16,
        };
        for candidate in candidates {
            let message = VaultRef::from(vault);
            let message = message.call().market(candidate);
            let found: Option<Market> = self.ask("market", vault, message).await?;
            // What volatility adds to the margin moves by itself.
            let margin = wanted.margin;
            let found = found.map(|market| Market { margin, ..market });
            match found {
                Some(market) if market == *wanted => return Ok(Some(candidate)),
                Some(market) if recorded.is_some() => {
                    let differs = difference::of_market(&market, wanted);
                    let differs = format!("market {candidate}: {differs}");
                    return Err(DeployError::Differs(differs));
                }
                Some(_) => {}
                None if recorded.is_some() => {
                    let differs = format!("there is no market {candidate}");
                    return Err(DeployError::Differs(differs));
                }
                None => break,
            }
        }
        Ok(None)
    }

    /// Holds and approves what the vault moves back and forth to try a market's token.
    async fn probe(
        &mut self,
        part: Part,
        token: AccountId,
        vault: AccountId,
    ) -> Result<(), DeployError> {
        let (governor, what) = (self.governor.account_id(), part.name());
        let message = TokenRef::from(token);
        let message = message.call().balance_of(governor);
        let held: u128 = match self.is_planned(token) {
            true => 0,
            false => self.ask("balance of the governor", token, message).await?,
        };
        let is_ours = match part {
            Part::Collateral => self.config.collateral.is_none(),
            _ => self.config.quote.is_none(),
        };
        let probe = PROBE.get();
        if held < probe {
            if !is_ours {
                return Err(DeployError::Step {
                    step: format!("try the {what}"),
                    reason: format!(
                        "the governor needs {probe} base units of it, which come back, and holds {held}"
                    ),
                });
            }
            let step = format!("mint the {what} to try it");
            let message = mint(governor, probe);
            self.step(&step, Wiring::Mint, token, message).await?;
        }
        let step = format!("approve the {what} to try it");
        let message = TokenRef::from(token).call_mut().approve(vault, probe);
        self.step(&step, Wiring::Approve, token, message).await?;
        Ok(())
    }

    /// A token: the description's, the record's, or a new one for tests.
    async fn token(
        &mut self,
        part: Part,
        given: Option<AccountId>,
        constructor: Constructor,
    ) -> Result<AccountId, DeployError> {
        let Some(given) = given else {
            return self.contract(part, constructor).await;
        };
        let (step, wanted) = (part.name(), ContractRecord::new(given, None));
        if let Some(found) = self.record.part(part) {
            agree(&format!("the {step}"), &found.address, &wanted.address)?;
        }
        if self
            .chain
            .code(given)
            .await
            .map_err(failed(step))?
            .is_none()
        {
            return Err(DeployError::Differs(format!(
                "there is no contract at {}, the {step}",
                wanted.address
            )));
        }
        self.record_part(part, wanted)?;
        Ok(given)
    }

    /// A contract of ours: the record's, if its code is the released one; that of a run which broke
    /// off before it could record it; or a new one.
    async fn contract(
        &mut self,
        part: Part,
        constructor: Constructor,
    ) -> Result<AccountId, DeployError> {
        let (step, hash) = (part.name(), part.contract().code_hash()?);
        let recorded = self.record.part(part).and_then(ContractRecord::account);
        let contract = self.address(part, &constructor)?;
        match self.chain.code(contract).await.map_err(failed(step))? {
            Some(found) if found == hash => {}
            Some(found) => {
                return Err(DeployError::OtherCode {
                    part: step,
                    found: show_hash(&found),
                    ours: show_hash(&hash),
                })
            }
            None if recorded.is_some() => {
                return Err(DeployError::Differs(format!(
                    "there is no contract at {}, the {step} of the record",
                    show_address(contract)
                )))
            }
            None => self.instantiate(part, constructor, contract).await?,
        }
        self.record_part(part, ContractRecord::new(contract, Some(hash)))?;
        Ok(contract)
    }

    /// Where a contract of ours is, or will be.
    fn address(&self, part: Part, constructor: &Constructor) -> Result<AccountId, DeployError> {
        if let Some(recorded) = self.record.part(part).and_then(ContractRecord::account) {
            return Ok(recorded);
        }
        let (hash, salt) = (part.contract().code_hash()?, self.salt(part));
        Ok(address_of(
            self.governor,
            hash,
            constructor,
            salt.as_bytes(),
        ))
    }

    /// The name in it keeps deployments of one governor apart.
    fn salt(&self, part: Part) -> String {
        format!("{}/{}", self.record.name, part.name())
    }

    /// Instantiates a contract at the address that it gets; in a plan finds out what that costs.
    async fn instantiate(
        &mut self,
        part: Part,
        constructor: Constructor<()>,
        address: AccountId,
    ) -> Result<(), DeployError> {
        let (step, salt) = (part.name(), self.salt(part));
        let salt = salt.as_bytes();
        let (code, hash) = (part.contract().code()?, part.contract().code_hash()?);
        if self.planning {
            let tried = self
                .chain
                .try_instantiation(self.governor, &code, constructor, salt)
                .await;
            let mut planned = Step::new(step, &tried.map_err(failed(step))?);
            if self.planned.iter().any(|(_, planned)| *planned == hash) {
                // An earlier step has brought the code.
                let paid = self.chain.code_deposit(self.governor, &code).await;
                let paid = paid.map_err(failed(step))?;
                planned.deposit -= i128::try_from(paid).unwrap_or(i128::MAX);
            }
            self.planned.push((address, hash));
            self.summary.steps.push(planned);
            return Ok(());
        }
        (self.progress)(step);
        let receipt = self
            .chain
            .instantiate(self.governor, &code, constructor, salt)
            .await
            .map_err(failed(step))?;
        self.summary.steps.push(Step::new(step, &receipt));
        match receipt.value == address {
            true => Ok(()),
            false => Err(DeployError::Differs(format!(
                "the {step} got the address {}, not {}: the chain derives addresses otherwise",
                show_address(receipt.value),
                show_address(address)
            ))),
        }
    }

    fn record_part(&mut self, part: Part, contract: ContractRecord) -> Result<(), DeployError> {
        if !self.planning && self.record.part(part) != Some(&contract) {
            self.record.set(part, contract);
            (self.keep)(&self.record)?;
        }
        Ok(())
    }

    fn is_planned(&self, contract: AccountId) -> bool {
        let mut planned = self.planned.iter();
        planned.any(|(address, _)| *address == contract)
    }

    /// Sends a message; in a plan only finds out what it costs, and returns nothing.
    async fn step<T: Decode, E: Decode + Debug>(
        &mut self,
        step: &str,
        kind: Wiring,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Option<Receipt<T>>, DeployError> {
        let message = message.into();
        if self.planning {
            let tried = match self.is_planned(contract) {
                true => None,
                false => {
                    let tried = self.chain.dry_run(self.governor, contract, message.clone());
                    tried.await.ok()
                }
            };
            // What is refused may need an earlier step.
            let planned = match tried {
                Some(receipt) => Step::new(step, &receipt),
                None => self.measured(step, kind, contract, message).await?,
            };
            self.summary.steps.push(planned);
            return Ok(None);
        }
        (self.progress)(step);
        match self.chain.call(self.governor, contract, message).await {
            Ok(receipt) => {
                self.summary.steps.push(Step::new(step, &receipt));
                Ok(Some(receipt))
            }
            Err(CallError::Reverted(error)) => Err(refused(step, &error)),
            Err(other) => Err(failed(step)(other)),
        }
    }

    async fn measured<R>(
        &self,
        step: &str,
        kind: Wiring,
        contract: AccountId,
        message: Message<R>,
    ) -> Result<Step, DeployError> {
        let (gas, deposit) = kind.measured();
        let fee = self.chain.fee_of_call(contract, message, gas).await;
        Ok(Step {
            name: step.to_owned(),
            gas,
            fee: fee.map_err(failed(step))?,
            deposit,
        })
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
}

fn refused<E: Debug>(step: &str, error: &E) -> DeployError {
    DeployError::Step {
        step: step.to_owned(),
        reason: format!("refused with {error:?}"),
    }
}
