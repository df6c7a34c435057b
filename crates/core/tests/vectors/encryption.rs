//! JWE vectors: an encrypted token is never a signed one, whether or not it could be decrypted (A07).

use std::path::Path;

use countersign_core::domain::token::compact::Compact;
use countersign_core::domain::token::jwks;
use countersign_core::domain::token::jws::{Header, JwsRefusal};
use libtest_mimic::Failed;

use crate::file;
use crate::signature::set_of;

pub(crate) fn run(path: &Path, wanted: usize) -> Result<(), Failed> {
    let mut seen = 0;
    for group in file::read(path, wanted) {
        let keys = jwks::parse(set_of(group.key()).to_string().as_bytes());
        assert!(keys.is_err(), "{}: a key for encryption verifies nothing", group.comment);
        for vector in &group.tests {
            let token = vector.token();
            let refused = match Compact::decode(&token) {
                Err(JwsRefusal::Malformed | JwsRefusal::TooLong) => true,
                Err(_) => false,
                Ok(compact) => Header::read(compact.header()).is_err(),
            };
            assert!(refused, "tcId {}: {}", vector.id, vector.comment);
            seen += 1;
        }
    }
    assert_eq!(seen, wanted);
    Ok(())
}
