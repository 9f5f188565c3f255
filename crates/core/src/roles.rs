//! Who governs, and how that is handed on: proposed by the one, accepted by the other. And a
//! guardian, who may restrict and nothing else.

use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Why a change of roles is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum RoleError {
    /// The caller is not the governor.
    NotGovernor,
    /// The caller has not been proposed.
    NotProposed,
    /// The caller is neither the guardian nor the governor.
    NotGuardian,
}

/// Two-step ownership. Generic over what identifies an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Governance<A> {
    /// Who governs.
    pub governor: A,
    /// Who may take over.
    pub proposed: Option<A>,
    /// Who may restrict beside the governor.
    pub guardian: Option<A>,
}

impl<A: Copy + Eq> Governance<A> {
    /// Governed by one account, with nobody proposed.
    #[must_use]
    pub const fn new(governor: A) -> Self {
        Self {
            governor,
            proposed: None,
            guardian: None,
        }
    }

    /// Refuses everybody but the governor.
    ///
    /// # Errors
    /// [`RoleError::NotGovernor`].
    pub fn ensure(&self, caller: A) -> Result<(), RoleError> {
        if caller == self.governor {
            Ok(())
        } else {
            Err(RoleError::NotGovernor)
        }
    }

    /// Refuses everybody but the guardian and the governor.
    ///
    /// # Errors
    /// [`RoleError::NotGuardian`].
    pub fn ensure_guardian(&self, caller: A) -> Result<(), RoleError> {
        if caller == self.governor || self.guardian == Some(caller) {
            Ok(())
        } else {
            Err(RoleError::NotGuardian)
        }
    }

    /// Names the guardian, or nobody.
    ///
    /// # Errors
    /// [`RoleError::NotGovernor`].
    pub fn set_guardian(&mut self, caller: A, guardian: Option<A>) -> Result<(), RoleError> {
        self.ensure(caller)?;
        self.guardian = guardian;
        Ok(())
    }

    /// Proposes who may take over; `None` withdraws a proposal.
    ///
    /// # Errors
    /// [`RoleError::NotGovernor`].
    pub fn propose(&mut self, caller: A, heir: Option<A>) -> Result<(), RoleError> {
        self.ensure(caller)?;
        self.proposed = heir;
        Ok(())
    }

    /// Takes over.
    ///
    /// # Errors
    /// [`RoleError::NotProposed`].
    pub fn accept(&mut self, caller: A) -> Result<(), RoleError> {
        if self.proposed != Some(caller) {
            return Err(RoleError::NotProposed);
        }
        self.governor = caller;
        self.proposed = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn governance_moves_only_to_who_was_proposed_and_accepts() {
        let mut governance = Governance::new(1);
        assert_eq!(governance.propose(2, Some(2)), Err(RoleError::NotGovernor));
        assert_eq!(governance.accept(2), Err(RoleError::NotProposed));
        governance.propose(1, Some(2)).unwrap();
        assert_eq!(governance.accept(3), Err(RoleError::NotProposed));
        assert_eq!(
            governance.ensure(1),
            Ok(()),
            "the old one governs until then"
        );
        governance.accept(2).unwrap();
        assert_eq!(governance.ensure(1), Err(RoleError::NotGovernor));
        governance.propose(2, Some(3)).unwrap();
        governance.propose(2, None).unwrap();
        assert_eq!(governance.accept(3), Err(RoleError::NotProposed));
    }

    #[test]
    fn a_guardian_is_named_by_the_governor_and_governs_nothing() {
        let mut governance = Governance::new(1);
        assert_eq!(governance.ensure_guardian(2), Err(RoleError::NotGuardian));
        assert_eq!(
            governance.set_guardian(2, Some(2)),
            Err(RoleError::NotGovernor)
        );
        governance.set_guardian(1, Some(2)).unwrap();
        assert_eq!(governance.ensure_guardian(2), Ok(()));
        assert_eq!(governance.ensure_guardian(1), Ok(()));
        assert_eq!(governance.ensure(2), Err(RoleError::NotGovernor));
        assert_eq!(
            governance.set_guardian(2, Some(3)),
            Err(RoleError::NotGovernor)
        );
        governance.set_guardian(1, None).unwrap();
        assert_eq!(governance.ensure_guardian(2), Err(RoleError::NotGuardian));
    }
}
