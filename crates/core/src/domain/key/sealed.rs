//! Sealing what must outlive a master secret: version 1 ‖ key id 1 ‖ nonce 12 ‖ AES-256-GCM, bound to a name.

use aws_lc_rs::aead::{Aad, Nonce};

use super::Keyring;
use crate::domain::id::KeyId;
use crate::domain::secret::SecretBytes;

const VERSION: u8 = 1;

/// A sealed value cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Unsealable {
    /// Its master secret is not among those given.
    #[error(
        "sealed value {name:?} needs master secret {}, which is missing: put its line back into master.key (or COUNTERSIGN_MASTER_KEY) from a backup",
        id.0
    )]
    Missing {
        /// What it is called in the store.
        name: String,
        /// Which secret it was sealed under.
        id: KeyId,
    },
    /// Another secret of the same id, another name, or damage.
    #[error(
        "sealed value {name:?} cannot be opened with the master secrets given; is master.key the one that belongs to this store?"
    )]
    Wrong {
        /// What it is called in the store.
        name: String,
    },
}

/// Which master secret a value was sealed under; `None` if it is no sealed value.
#[must_use]
pub fn sealed_under(sealed: &[u8]) -> Option<KeyId> {
    match sealed {
        [VERSION, id, ..] => Some(KeyId(*id)),
        _ => None,
    }
}

impl Keyring {
    /// Seals under the current master secret, bound to `name`. `nonce` must be fresh random bytes.
    #[must_use]
    pub fn seal(&self, name: &str, nonce: [u8; 12], plain: &SecretBytes) -> Option<Vec<u8>> {
        let snapshot = self.snapshot();
        let mut body = plain.expose().to_vec();
        let aad = Aad::from(name.as_bytes());
        let key = &snapshot.of(snapshot.current)?.seal;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body).ok()?;
        let mut out = vec![VERSION, snapshot.current.0];
        out.extend_from_slice(&nonce);
        out.append(&mut body);
        Some(out)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<SecretBytes, Unsealable> {
        let snapshot = self.snapshot();
        if let Some(id) = sealed_under(sealed)
            && snapshot.of(id).is_none()
        {
            return Err(Unsealable::Missing { name: name.to_owned(), id });
        }
        let open = || {
            let (head, body) = sealed.split_at_checked(14)?;
            let key = &snapshot.of(sealed_under(head)?)?.seal;
            let nonce: [u8; 12] = head.get(2..)?.try_into().ok()?;
            let mut body = body.to_vec();
            let aad = Aad::from(name.as_bytes());
            let plain = key.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut body).ok()?;
            Some(SecretBytes::new(plain.to_vec()))
        };
        open().ok_or_else(|| Unsealable::Wrong { name: name.to_owned() })
    }
}
