//! Two-step governance, the same in every contract.

use crate::cell::Cell;
use crate::AccountId;
use breakwater_core::roles::{Governance, RoleError};
use ink::storage::traits::ManualKey;
use ink::storage::Lazy;

/// Messages that hand the governor's role on.
#[ink::trait_definition]
pub trait Governed {
    /// Proposes who may take over; `None` withdraws a proposal. Governor only.
    ///
    /// # Events
    /// `RolesChanged`.
    ///
    /// # Errors
    /// `NotGovernor`.
    #[ink(message)]
    fn propose_governor(&mut self, heir: Option<AccountId>) -> Result<(), RoleError>;

    /// Takes the role over. Only who has been proposed.
    ///
    /// # Events
    /// `RolesChanged`.
    ///
    /// # Errors
    /// `NotProposed`.
    #[ink(message)]
    fn accept_governor(&mut self) -> Result<(), RoleError>;

    /// Who governs, and who may take over.
    #[ink(message)]
    fn governance(&self) -> Governance<AccountId>;
}

/// Messages about the guardian, who may restrict and nothing else.
#[ink::trait_definition]
pub trait Guarded {
    /// Names the guardian; `None` for nobody. Governor only, at once.
    ///
    /// # Events
    /// `RolesChanged`.
    ///
    /// # Errors
    /// `NotGovernor`.
    #[ink(message)]
    fn set_guardian(&mut self, guardian: Option<AccountId>) -> Result<(), RoleError>;
}

/// A role changed hands, or may from now on.
#[ink::event]
pub struct RolesChanged {
    /// All roles as they are now.
    pub roles: Governance<AccountId>,
}

/// The cell that keeps who governs, under the same key in every contract.
#[cfg_attr(feature = "std", derive(Debug))]
#[ink::storage_item]
pub struct Roles {
    cell: Lazy<Cell<Governance<AccountId>>, ManualKey<0x474f_5645>>,
}

impl Roles {
    /// Governed by one account.
    #[must_use]
    pub fn new(governor: AccountId) -> Self {
        let mut cell = Lazy::new();
        cell.set(&Cell(Governance::new(governor)));
        Self { cell }
    }

    /// Who governs, and who may take over.
    #[must_use]
    pub fn get(&self) -> Governance<AccountId> {
        // Set by every constructor; nobody is account zero.
        self.cell
            .get()
            .map_or(Governance::new(AccountId::from([0; 32])), |cell| cell.0)
    }

    fn store(&mut self, roles: Governance<AccountId>) -> RolesChanged {
        self.cell.set(&Cell(roles));
        RolesChanged { roles }
    }

    /// Refuses everybody but the governor.
    ///
    /// # Errors
    /// [`RoleError::NotGovernor`].
    pub fn ensure(&self, caller: AccountId) -> Result<(), RoleError> {
        self.get().ensure(caller)
    }

    /// Proposes who may take over and returns the event that says so.
    ///
    /// # Errors
    /// [`RoleError::NotGovernor`].
    pub fn propose(
        &mut self,
        caller: AccountId,
        heir: Option<AccountId>,
    ) -> Result<RolesChanged, RoleError> {
        let mut roles = self.get();
        roles.propose(caller, heir)?;
        Ok(self.store(roles))
    }

    /// Refuses everybody but the guardian and the governor.
    ///
    /// # Errors
    /// [`RoleError::NotGuardian`].
    pub fn ensure_guardian(&self, caller: AccountId) -> Result<(), RoleError> {
        self.get().ensure_guardian(caller)
    }

    /// Names the guardian and returns the event that says so.
    ///
    /// # Errors
    /// [`RoleError::NotGovernor`].
    pub fn set_guardian(
        &mut self,
        caller: AccountId,
        guardian: Option<AccountId>,
    ) -> Result<RolesChanged, RoleError> {
        let mut roles = self.get();
        roles.set_guardian(caller, guardian)?;
        Ok(self.store(roles))
    }

    /// Lets the caller take over and returns the event that says so.
    ///
    /// # Errors
    /// [`RoleError::NotProposed`].
    pub fn accept(&mut self, caller: AccountId) -> Result<RolesChanged, RoleError> {
        let mut roles = self.get();
        roles.accept(caller)?;
        Ok(self.store(roles))
    }
}
