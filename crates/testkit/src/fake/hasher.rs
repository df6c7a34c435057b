//! A password hasher without the cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use countersign_core::domain::password::Password;
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::user::PasswordHash;
use countersign_core::port::{HashError, PasswordHasher, PasswordMatch};
use data_encoding::HEXLOWER;

#[derive(Debug, Default)]
struct Inner {
    busy: AtomicBool,
    delay_ms: AtomicU64,
    strength: AtomicU32,
    evaluated: AtomicU64,
}

/// Hashes to `fake$<strength>$<SHA-256 of pepper and password>`. Can be made slow, busy and stronger.
#[derive(Clone, Debug, Default)]
pub struct FakeHasher(Arc<Inner>);

impl FakeHasher {
    /// From now on everything is refused with [`HashError::Busy`], or no longer.
    pub fn set_busy(&self, busy: bool) {
        self.0.busy.store(busy, Ordering::SeqCst);
    }

    /// Each call takes so long.
    pub fn set_delay(&self, delay: Duration) {
        self.0.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Parameters rise: hashes made before are outdated (F04).
    pub fn strengthen(&self) {
        self.0.strength.fetch_add(1, Ordering::SeqCst);
    }

    /// How many passwords were hashed or compared, dummies included.
    #[must_use]
    pub fn evaluated(&self) -> u64 {
        self.0.evaluated.load(Ordering::SeqCst)
    }

    async fn work(&self) -> Result<(), HashError> {
        if self.0.busy.load(Ordering::SeqCst) {
            return Err(HashError::Busy);
        }
        self.0.evaluated.fetch_add(1, Ordering::SeqCst);
        let delay = self.0.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        Ok(())
    }
}

fn fingerprint(password: &Password, pepper: &SecretArray<32>) -> String {
    let input = [pepper.expose().as_slice(), password.expose().as_bytes()].concat();
    HEXLOWER.encode(digest(&SHA256, &input).as_ref())
}

impl PasswordHasher for FakeHasher {
    async fn hash(&self, password: &Password, pepper: &SecretArray<32>) -> Result<PasswordHash, HashError> {
        self.work().await?;
        let strength = self.0.strength.load(Ordering::SeqCst);
        Ok(PasswordHash::new(format!("fake${strength}${}", fingerprint(password, pepper))))
    }

    async fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
        pepper: &SecretArray<32>,
    ) -> Result<PasswordMatch, HashError> {
        self.work().await?;
        let Some(hash) = hash else { return Ok(PasswordMatch::No) };
        let parts: Vec<&str> = hash.expose().split('$').collect();
        let ["fake", strength, digest] = parts[..] else {
            return Err(HashError::Unusable(String::from("not a fake hash")));
        };
        if digest != fingerprint(password, pepper) {
            return Ok(PasswordMatch::No);
        }
        let current = self.0.strength.load(Ordering::SeqCst).to_string();
        Ok(if strength == current { PasswordMatch::Yes } else { PasswordMatch::YesOutdated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_tells_passwords_and_peppers_apart() {
        let hasher = FakeHasher::default();
        let (a, b) = (Password::parse("a").unwrap(), Password::parse("b").unwrap());
        let (pepper, other) = (SecretArray::new([1; 32]), SecretArray::new([2; 32]));
        let hash = hasher.hash(&a, &pepper).await.unwrap();
        assert_eq!(hasher.verify(&a, Some(&hash), &pepper).await.unwrap(), PasswordMatch::Yes);
        assert_eq!(hasher.verify(&b, Some(&hash), &pepper).await.unwrap(), PasswordMatch::No);
        assert_eq!(hasher.verify(&a, Some(&hash), &other).await.unwrap(), PasswordMatch::No);
        hasher.strengthen();
        assert_eq!(hasher.verify(&a, Some(&hash), &pepper).await.unwrap(), PasswordMatch::YesOutdated);
        assert_eq!(hasher.evaluated(), 5);
        hasher.set_busy(true);
        assert!(matches!(hasher.verify(&a, None, &pepper).await, Err(HashError::Busy)));
    }
}
