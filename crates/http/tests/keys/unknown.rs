//! H08: tokens with keys that nobody knows cost a look-up in memory.

use countersign_core::service::{Context, VerifyError};
use countersign_testkit::{Mode, TestSite};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use countersign_core::domain::cookie::CookieKind;

/// Neither the store is asked, nor anything fetched, nor anything kept.
#[tokio::test]
async fn h08_ten_thousand_unknown_kids_are_only_looked_up() {
    let site = TestSite::production().start().await;
    let engine = site.site.engine();
    let client = site.signed_in("ada@example.com").await;
    let good = client.cookie(CookieKind::Access).unwrap();
    let (_, rest) = good.split_once('.').unwrap();
    drop(site.outside.store.take_writes());
    // With the store gone, whatever needs it fails; and whoever asks it in vain is counted.
    site.outside.store.set(Mode::Unavailable);
    let before = site.outside.store.calls();
    for n in 0..10_000u32 {
        let header = json!({ "alg": "EdDSA", "kid": format!("unknown-{n}"), "typ": "at+jwt" }).to_string();
        let token = format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes()));
        let error = engine.verify_access(&token, &Context::default()).await.unwrap_err();
        assert!(matches!(error, VerifyError::Refused(_)), "{n}: {error}");
    }
    assert_eq!(site.outside.store.calls(), before, "keys are not read anew for what a stranger makes up");
    for n in 0..50 {
        let header = json!({ "alg": "EdDSA", "kid": format!("unknown-{n}"), "typ": "at+jwt" }).to_string();
        let token = format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes()));
        site.client().get("/auth/session").bearer(&token).expect(401, "token_invalid").await;
    }
    site.outside.store.set(Mode::Working);
    assert!(site.outside.store.take_writes().is_empty());
    assert_eq!(engine.signing_keys().len(), 1);
    client.get("/auth/session").expect_status(200).await;
}
