//! Two tokens that do what they are told.

use breakwater_core::units::Amount;
use breakwater_interfaces::token::TokenError;
use breakwater_interfaces::AccountId;
use std::collections::BTreeMap;

/// Balances by (token, holder). Everybody has approved every contract without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(BTreeMap<(AccountId, AccountId), u128>);

impl Tokens {
    /// Units that an account holds.
    #[must_use]
    pub fn held(&self, token: AccountId, owner: AccountId) -> Amount {
        Amount::new(self.0.get(&(token, owner)).copied().unwrap_or_default())
    }

    /// Creates units.
    pub fn mint(&mut self, token: AccountId, owner: AccountId, amount: Amount) {
        let held = self.0.entry((token, owner)).or_default();
        *held = held.saturating_add(amount.get());
    }

    /// All units there are of a token.
    #[must_use]
    pub fn total(&self, token: AccountId) -> u128 {
        let of_it = self.0.iter().filter(|((of, _), _)| *of == token);
        of_it.map(|(_, held)| held).sum()
    }

    /// Moves units.
    ///
    /// # Errors
    /// [`TokenError::CallFailed`] where the sender has fewer.
    pub fn transfer(
        &mut self,
        token: AccountId,
        from: AccountId,
        to: AccountId,
        amount: Amount,
    ) -> Result<(), TokenError> {
        let left = self.held(token, from).minus(amount);
        let left = left.map_err(|_| TokenError::CallFailed)?;
        self.0.insert((token, from), left.get());
        self.mint(token, to, amount);
        Ok(())
    }
}
