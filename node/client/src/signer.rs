//! Accounts that sign.

use std::fmt;
use std::str::FromStr;

use breakwater_chain::{AccountId, Signer};
use subxt_signer::{sr25519::Keypair, SecretUri};

/// An sr25519 key pair.
///
/// It never shows its secret: its `Debug` form is the account's address.
#[derive(Clone)]
pub struct KeySigner(Keypair);

/// A secret that is no key. It does not repeat the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is no key: give a phrase of 12 to 24 words, 0x and 64 hex digits, or //Name for a development account")]
pub struct BadSecret;

impl KeySigner {
    /// The key of a secret URI: a phrase or a hexadecimal seed, with derivations such as `//name`,
    /// or derivations alone for the well-known development accounts.
    ///
    /// # Errors
    ///
    /// [`BadSecret`].
    pub fn from_suri(suri: &str) -> Result<Self, BadSecret> {
        let uri = SecretUri::from_str(suri.trim()).map_err(|_| BadSecret)?;
        Keypair::from_uri(&uri).map(Self).map_err(|_| BadSecret)
    }

    pub(crate) fn keypair(&self) -> &Keypair {
        &self.0
    }
}

impl Signer for KeySigner {
    fn account_id(&self) -> AccountId {
        AccountId::from(self.0.public_key().0)
    }
}

impl fmt::Debug for KeySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySigner({})", hex::encode(self.0.public_key().0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_accounts_have_their_published_addresses() {
        let alice = KeySigner::from_suri("//Alice").unwrap();
        let published = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
        assert_eq!(hex::encode(alice.keypair().public_key().0), published);
    }

    #[test]
    fn secrets_are_never_shown() {
        let secret = "bottom drive obey lake curtain smoke basket hold race lonely fit walk//x";
        let signer = KeySigner::from_suri(secret).unwrap();
        assert!(!format!("{signer:?}").contains("bottom"));
        let error = KeySigner::from_suri("bottom drive").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("bottom"));
    }
}
