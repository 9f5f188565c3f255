//! Conservation: what the contracts hold against what they owe (promise 9).

use crate::deployment::{ask, Deployment, StepError};
use breakwater_chain::Chain;
use breakwater_core::standing::Standing;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::{Accounting, MarginVault, VaultError};
use breakwater_interfaces::AccountId;
use ink::codegen::TraitCallBuilder;

/// Held and owed of one token by one contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Tokens held.
    pub held: Amount,
    /// Tokens owed by the contract's own books.
    pub owed: Amount,
}

impl Entry {
    /// Whether exactly what is owed is held: nothing is missing and nothing is unaccounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.held == self.owed
    }
}

/// The books of a deployment at one moment.
#[derive(Clone, Debug)]
pub struct Books {
    /// Quote in the vault: cash, insurance, rewards.
    pub vault_quote: Entry,
    /// Collateral in the vault.
    pub vault_collateral: Entry,
    /// Quote in the auction: balances and budgets.
    pub auction_quote: Entry,
    /// Collateral in the auction: sold and not claimed, for bids and for standing bids.
    pub auction_collateral: Entry,
    /// Of the quote in the auction, what its treasury holds and all tiers owe: standing bids.
    pub standing: Entry,
    /// The vault's totals.
    pub accounting: Accounting,
}

impl Books {
    /// The four entries of tokens with their names.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, Entry); 4] {
        [
            ("vault, quote", self.vault_quote),
            ("vault, collateral", self.vault_collateral),
            ("auction, quote", self.auction_quote),
            ("auction, collateral", self.auction_collateral),
        ]
    }

    /// The first entry that does not balance.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.entries()
            .into_iter()
            .chain([("auction, standing bids", self.standing)])
            .find(|(_, entry)| !entry.balances())
            .map(|(name, entry)| {
                format!(
                    "{name}: holds {}, owes {}",
                    entry.held.get(),
                    entry.owed.get()
                )
            })
    }

    /// Reads balances and books from the chain. `batches` are all batches opened so far.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn read<C: Chain>(
        chain: &C,
        deployment: &Deployment,
        batches: &[BatchKey],
    ) -> Result<Self, StepError> {
        Self::read_with(chain, deployment, batches, Amount::ZERO).await
    }

    /// As [`Self::read`], with only those batches that can still change; `finished` is the
    /// collateral that rounding left in the auction from all others.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn read_with<C: Chain>(
        chain: &C,
        deployment: &Deployment,
        batches: &[BatchKey],
        finished: Amount,
    ) -> Result<Self, StepError> {
        let d = deployment;
        let message = d.vault().call().accounting(d.market);
        let accounting: Result<Accounting, VaultError> =
            ask(chain, d.vault, "accounting", message).await?;
        let accounting = accounting.map_err(|error| StepError::Call {
            step: "accounting",
            reason: format!("refused with {error:?}"),
        })?;
        let treasury = ask(
            chain,
            d.auction,
            "treasury",
            d.auction().call().treasury(d.market),
        )
        .await?;
        let tiers: Standing = ask(
            chain,
            d.auction,
            "standing",
            d.standing().call().standing(d.market),
        )
        .await?;
        let (mut unclaimed, mut standing) = (finished, Amount::ZERO);
        for tier in tiers.tiers() {
            let held = tier.held().unwrap_or_default();
            standing = Amount::new(standing.get().saturating_add(held.get()));
            unclaimed = Amount::new(unclaimed.get().saturating_add(tier.collateral.get()));
        }
        for batch in batches {
            let record = ask(
                chain,
                d.auction,
                "auction",
                d.auction().call().auction(*batch),
            )
            .await?;
            let left = record.map(|record| record.collateral).unwrap_or_default();
            unclaimed = Amount::new(unclaimed.get().saturating_add(left.get()));
        }
        Ok(Self {
            vault_quote: Entry {
                held: held(chain, d.quote, d.vault).await?,
                owed: accounting.quote_owed,
            },
            vault_collateral: Entry {
                held: held(chain, d.collateral, d.vault).await?,
                owed: accounting.collateral_owed,
            },
            auction_quote: Entry {
                held: held(chain, d.quote, d.auction).await?,
                owed: treasury.held,
            },
            auction_collateral: Entry {
                held: held(chain, d.collateral, d.auction).await?,
                owed: unclaimed,
            },
            standing: Entry {
                held: treasury.standing,
                owed: standing,
            },
            accounting,
        })
    }
}

/// Tokens an account holds.
///
/// # Errors
/// [`StepError`].
pub async fn held<C: Chain>(
    chain: &C,
    token: AccountId,
    owner: AccountId,
) -> Result<Amount, StepError> {
    let balance = ask(
        chain,
        token,
        "balance",
        Deployment::token(token).call().balance_of(owner),
    )
    .await?;
    Ok(Amount::new(balance))
}
