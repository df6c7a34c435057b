//! Sealed tokens and master secrets.

use countersign_core::domain::id::KeyId;
use countersign_core::port::Store;
use countersign_core::service::{Context, MasterKeyError};

use crate::scene::{Scene, rules, with_refresh};

/// A new master secret seals them anew; the old one is not needed by them any more, and nobody is signed out.
#[tokio::test]
async fn master_key_rotation_seals_them_anew() {
    let scene = Scene::new(with_refresh("json:/token")).await;
    let (one, two) = (scene.browser().await, scene.site.client());
    scene.log_in(&two, "8").await.expect_status(200);
    let engine = scene.site.site.engine();
    let tokens = || async { scene.site.outside.store.upstream_tokens_by_master_key().await.unwrap() };
    assert_eq!(tokens().await, [(KeyId(7), 2)]);
    assert_eq!(engine.master_keys().await.unwrap()[0].sealed, 4, "pepper, signing key, two tokens");
    let resealed = engine.rotate_master_key(&Context::default()).await.unwrap();
    assert_eq!((resealed.under, resealed.values), (KeyId(8), 4));
    assert_eq!(tokens().await, [(KeyId(8), 2)]);
    for (client, user) in [(&one, "7"), (&two, "8")] {
        assert_eq!(client.get("/api/me").expect_status(200).await.json()["me"], user);
    }
    // And they can be renewed after it.
    scene.app.forget_tokens();
    assert_eq!(one.get("/api/me").expect_status(200).await.json()["me"], "7");
}

/// The secret that tokens are sealed under is not removed.
#[tokio::test]
async fn a_secret_in_use_stays() {
    let scene = Scene::new(rules("json:/token")).await;
    let client = scene.browser().await;
    let (engine, context) = (scene.site.site.engine(), Context::default());
    engine.rotate_master_key(&context).await.unwrap();
    client.post("/api/logout").expect_status(200).await;
    scene.browser().await;
    let refused = engine.remove_master_key(KeyId(8), &context).await.unwrap_err();
    assert!(matches!(refused, MasterKeyError::Current(_)), "{refused}");
    engine.remove_master_key(KeyId(7), &context).await.unwrap();
}
