//! JWK vectors at our loader (A17, A18). We verify with Ed25519 and P-256 only, so valid sets of HMAC and RSA keys are
//! refused too, each for its reason.

use std::path::Path;

use countersign_core::domain::token::jwks::{self, JwksRefusal};
use libtest_mimic::Failed;
use serde_json::Value;

use crate::file;
use crate::signature::{ours, set_of};

fn has_secret(set: &Value) -> bool {
    set["keys"].as_array().unwrap().iter().any(|key| key["kty"] == "oct" || key.get("d").is_some())
}

fn is_ours(set: &Value) -> bool {
    set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .any(|key| key["kty"] == "EC" && key["crv"] == "P-256" && key["alg"] == "ES256")
}

pub(crate) fn run(path: &Path, wanted: usize) -> Result<(), Failed> {
    let (mut refused, mut private) = (0, 0);
    for group in file::read(path, wanted) {
        if let Some(secret) = group.private.as_ref().map(set_of).filter(has_secret) {
            assert_eq!(
                jwks::parse(secret.to_string().as_bytes()).unwrap_err(),
                JwksRefusal::Secret,
                "{}",
                group.comment
            );
            private += 1;
        }
        let Some(public) = group.public.as_ref().map(set_of) else { continue };
        let keys = jwks::parse(public.to_string().as_bytes());
        for vector in group.tests.iter().filter(|vector| vector.jws.is_some()) {
            let accepted = keys.as_ref().is_ok_and(|keys| ours(keys, &vector.token()));
            assert_eq!(
                accepted,
                vector.is_valid() && is_ours(&public),
                "tcId {}: {}",
                vector.id,
                vector.comment
            );
        }
        let reason = match group.comment.as_str() {
            "wrong_algorithm" | "invalid_algorithm" | "wrong_curve" | "wrong_kty" => {
                Some(JwksRefusal::Algorithm)
            }
            "invalid_use" => Some(JwksRefusal::Use),
            "invalid_point" => Some(JwksRefusal::Key),
            _ => None,
        };
        if let Some(reason) = reason {
            assert_eq!(keys.unwrap_err(), reason, "{}", group.comment);
            refused += 1;
        }
    }
    eprintln!("{private} sets with secrets refused, {refused} for a contradiction");
    assert!(private > 3);
    Ok(())
}
