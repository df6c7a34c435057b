//! Argon2id (RFC 9106) with a pepper as its secret parameter, in and out of PHC strings. Plain functions.

use argon2::password_hash::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Block, Params as Raw, Version};
use countersign_core::domain::secret::equal;
use countersign_core::domain::user::PasswordHash;
use countersign_core::port::{HashError, PasswordMatch};
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::params::Params;

/// Length of a new hash in bytes.
const OUTPUT: usize = 32;
/// Blocks of 1 KiB. glibc serves what is larger than 32 MiB by a mapping of its own and unmaps it when it is freed;
/// smaller memory would stay with the process after the first time. Only the part in use becomes resident.
const OWN_MAPPING: usize = 33 * 1024;

/// The memory that a worker hashes in, kept from one job to the next.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    fn of(&mut self, blocks: usize) -> &mut [Block] {
        if self.0.len() != blocks {
            // Freed first: never two at a time.
            self.0 = Vec::new();
            self.0.reserve_exact(blocks.max(OWN_MAPPING));
            self.0.resize(blocks, Block::default());
        }
        &mut self.0
    }
}

/// A password with the pepper that belongs to it, wiped when dropped.
pub(super) struct Guess {
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) pepper: Zeroizing<[u8; 32]>,
}

impl Guess {
    fn digest(
        &self,
        params: Raw,
        salt: &[u8],
        length: usize,
        memory: &mut Memory,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let unusable = |e: argon2::Error| HashError::Unusable(e.to_string());
        let blocks = params.block_count();
        let argon = Argon2::new_with_secret(&*self.pepper, Algorithm::Argon2id, Version::V0x13, params)
            .map_err(unusable)?;
        let mut out = Zeroizing::new(vec![0; length]);
        argon
            .hash_password_into_with_memory(&self.password, salt, &mut out, memory.of(blocks))
            .map_err(unusable)?;
        Ok(out)
    }
}

/// Makes a PHC string.
pub(super) fn hash(
    params: Params,
    guess: &Guess,
    salt: [u8; 16],
    memory: &mut Memory,
) -> Result<PasswordHash, HashError> {
    let digest = guess.digest(raw(params)?, &salt, OUTPUT, memory)?;
    Ok(PasswordHash::new(format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.memory_kib(),
        params.iterations(),
        params.lanes(),
        BASE64_NOPAD.encode(&salt),
        BASE64_NOPAD.encode(&digest)
    )))
}

/// Compares with a stored PHC string.
pub(super) fn verify(
    params: Params,
    guess: &Guess,
    stored: &PasswordHash,
    memory: &mut Memory,
) -> Result<PasswordMatch, HashError> {
    let unusable = |what: &str| HashError::Unusable(what.to_owned());
    let phc = Phc::new(stored.expose()).map_err(|e| HashError::Unusable(e.to_string()))?;
    if phc.algorithm != argon2::ARGON2ID_IDENT || phc.version != Some(Version::V0x13.into()) {
        return Err(unusable("not Argon2id, version 19"));
    }
    let made_with = Raw::try_from(&phc).map_err(|e| HashError::Unusable(e.to_string()))?;
    let strength = Params::stored(&made_with);
    // Whoever can write the store must not be able to make one login take all memory.
    if !strength.is_affordable() {
        return Err(unusable("its parameters ask for more memory or time than we give"));
    }
    let mut buffer = [0; 64];
    let salt = phc.salt.ok_or_else(|| unusable("it has no salt"))?;
    let salt = salt.decode_b64(&mut buffer).map_err(|e| HashError::Unusable(e.to_string()))?;
    let wanted = phc.hash.ok_or_else(|| unusable("it has no digest"))?;
    if wanted.len() < 16 {
        return Err(unusable("its digest is shorter than 16 bytes"));
    }
    let digest = guess.digest(made_with, salt, wanted.len(), memory)?;
    Ok(match equal(&digest, wanted.as_bytes()) {
        false => PasswordMatch::No,
        true if strength.is_below(params) || wanted.len() < OUTPUT => PasswordMatch::YesOutdated,
        true => PasswordMatch::Yes,
    })
}

/// Takes the time of a comparison with a new hash, and never matches (F06).
pub(super) fn dummy(params: Params, guess: &Guess, memory: &mut Memory) -> Result<PasswordMatch, HashError> {
    let digest = guess.digest(raw(params)?, b"countersign dumm", OUTPUT, memory)?;
    // Used, so that no optimiser can leave the work out.
    std::hint::black_box(&digest);
    Ok(PasswordMatch::No)
}

fn raw(params: Params) -> Result<Raw, HashError> {
    Raw::new(params.memory_kib(), params.iterations(), params.lanes(), Some(OUTPUT))
        .map_err(|e| HashError::Unusable(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(password: &str, pepper: u8) -> Guess {
        Guess { password: Zeroizing::new(password.into()), pepper: Zeroizing::new([pepper; 32]) }
    }

    /// F04: the PHC string shows parameters at the floor, and the pepper is part of the hash.
    #[test]
    fn f04_phc_string() {
        let mut memory = Memory::default();
        let stored = hash(Params::FLOOR, &guess("correct horse", 1), [7; 16], &mut memory).unwrap();
        assert!(stored.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"));
        let mut check =
            |password, pepper| verify(Params::FLOOR, &guess(password, pepper), &stored, &mut memory).unwrap();
        assert_eq!(check("correct horse", 1), PasswordMatch::Yes);
        assert_eq!(check("correct horsf", 1), PasswordMatch::No);
        assert_eq!(check("correct horse", 2), PasswordMatch::No);
    }

    /// F04: a hash below the configured parameters matches, and asks to be made again.
    #[test]
    fn f04_outdated_hashes_match_and_say_so() {
        let mut memory = Memory::default();
        let old = hash(Params::FLOOR, &guess("correct horse", 1), [7; 16], &mut memory).unwrap();
        for raised in [Params::new(20_480, 2, 1).unwrap(), Params::new(19_456, 3, 1).unwrap()] {
            let found = verify(raised, &guess("correct horse", 1), &old, &mut memory).unwrap();
            assert_eq!(found, PasswordMatch::YesOutdated);
            let new = hash(raised, &guess("correct horse", 1), [8; 16], &mut memory).unwrap();
            let found = verify(raised, &guess("correct horse", 1), &new, &mut memory).unwrap();
            assert_eq!(found, PasswordMatch::Yes);
            assert_eq!(verify(raised, &guess("wrong", 1), &old, &mut memory).unwrap(), PasswordMatch::No);
        }
    }

    #[test]
    fn foreign_and_greedy_hashes_are_unusable() {
        let mut memory = Memory::default();
        for bad in [
            "",
            "plain",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$argon2i$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$argon2id$v=16$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$argon2id$v=19$m=4000000,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw",
            "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$BwcHBwcHBwcHBwc",
        ] {
            let stored = PasswordHash::new(bad.into());
            let found = verify(Params::FLOOR, &guess("x", 1), &stored, &mut memory);
            assert!(matches!(found, Err(HashError::Unusable(_))), "{bad}");
        }
    }
}
