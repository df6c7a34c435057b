//! JWS vectors: with our own verification where the key is ours, else with a foreign algorithm behind our parser. And all
//! of them at our gate, which lets nothing of an algorithm through that it does not have.

use std::path::Path;

use countersign_core::domain::token::compact::Compact;
use countersign_core::domain::token::jwks;
use countersign_core::domain::token::jws::{self, Header, KeySet};
use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::{file, foreign};

/// Our verification of one JWS with the keys of a set: parse, header, key by `kid`, algorithm, signature.
pub(crate) fn ours(keys: &KeySet, token: &str) -> bool {
    let verify = || {
        let compact = Compact::decode(token).ok()?;
        let header = Header::read(compact.header()).ok()?;
        let key = keys.get(header.kid()?)?;
        jws::check_signature(&compact, &header, key).ok()
    };
    verify().is_some()
}

/// Labelled valid, though the key says PS256 and the header PS384 (RFC 7520 §4.2 has no `alg` in its key): a key has
/// exactly one algorithm (A02).
const OTHER_ALGORITHM: [u32; 2] = [346, 350];

/// Labelled invalid for their padding, which is not in the file any more: byte for byte the valid vector 357.
const SAME_AS_VALID: [u32; 2] = [367, 370];

/// One key as a set, or the set it is.
pub(crate) fn set_of(key: &Value) -> Value {
    if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) }
}

pub(crate) fn run(path: &Path, wanted: usize) -> Result<(), Failed> {
    let (mut with_ours, mut with_foreign, mut only_refused) = (0, 0, 0);
    for group in file::read(path, wanted) {
        let key = group.key();
        let keys = jwks::parse(set_of(key).to_string().as_bytes());
        for vector in group.tests.iter().filter(|vector| vector.jws.is_some()) {
            let (token, name) =
                (vector.token(), format!("tcId {} {}: {}", vector.id, group.comment, vector.comment));
            if let Ok(keys) = &keys {
                assert_eq!(ours(keys, &token), vector.is_valid(), "{name}");
                with_ours += 1;
            } else if let Some(accepted) = foreign::accepts(key, &token) {
                // A key with a known weakness of its kind is its verifier's business; ours are not of that kind.
                let weak_key = vector.comment.contains("Roca");
                let twin = group.tests.iter().any(|other| other.is_valid() && other.token() == token);
                assert!(!SAME_AS_VALID.contains(&vector.id) || twin, "{name}: the file was corrected");
                let valid = if SAME_AS_VALID.contains(&vector.id) { twin } else { vector.is_valid() };
                let valid = valid && !OTHER_ALGORITHM.contains(&vector.id);
                assert!(weak_key || accepted == valid, "{name}");
                with_foreign += 1;
            } else {
                // A key for something else, or a set that must not be used (see the key vectors).
                assert!(!vector.is_valid() || key.get("keys").is_some(), "{name}");
                only_refused += 1;
            }
        }
    }
    eprintln!(
        "with our algorithms {with_ours}, with foreign ones {with_foreign}, refused for the key {only_refused}"
    );
    assert!(with_ours > 10 && with_foreign > 10, "the file holds vectors of both sorts");
    Ok(())
}
