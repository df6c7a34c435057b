//! API keys, asked about: as at the gateway.

use countersign_core::domain::event::EventName;
use countersign_http::ForwardingProxy::{Caddy, Nginx};
use serde_json::Value;

use crate::scene::{ADA, Desk};

/// The application behind the proxy learns the owner and the key's scopes; a bad key is never made good by cookies.
#[tokio::test]
async fn keys_are_judged_alone() {
    let desk = Desk::new(Nginx).await;
    desk.site.add_user(ADA, &["admin"]).await;
    let (with, without) =
        (desk.site.api_key(ADA, &["admin"], &[]).await, desk.site.api_key(ADA, &[], &[]).await);
    let nobody = desk.site.client();
    let answer = desk.ask(&nobody, "POST", "/admin/a").bearer(&with).expect_status(200).await;
    assert_eq!(answer.header("x-auth-scopes").as_deref(), Some("admin"));
    assert!(answer.header("x-auth-user").is_some() && answer.header("countersign-assertion").is_some());
    assert_eq!((answer.header("x-auth-session"), answer.header("authorization")), (None, None));
    desk.ask(&nobody, "GET", "/admin/a").bearer(&without).expect(403, "insufficient_scope").await;
    desk.ask(&nobody, "GET", "/recent/a").bearer(&with).expect(401, "step_up_required").await;
    desk.ask(&nobody, "GET", "/a").bearer("csk_production_x").expect(401, "token_invalid").await;
}

/// G06: a key in the query of the request that is asked about, which is not the query of the question.
#[tokio::test]
async fn g06_never_in_a_query() {
    for proxy in [Nginx, Caddy] {
        let desk = Desk::new(proxy).await;
        desk.site.add_user(ADA, &[]).await;
        let key = desk.site.api_key(ADA, &[], &[]).await;
        for target in ["/a", "/open/a", "/maybe/a"] {
            let request = desk.ask(&desk.site.client(), "GET", &format!("{target}?api_key={key}"));
            let answer = request.send().await;
            assert!(!answer.status().is_success(), "{target}");
            assert_ne!(answer.json()["code"], Value::from("token_missing"), "{target}");
        }
        desk.ask(&desk.site.client(), "GET", "/open/a?api_key=theirs").expect_status(200).await;
        let events = desk.site.events().await;
        let told = |e: &&countersign_core::domain::event::Event| &*e.reason == "api_key_in_query";
        assert_eq!(events.iter().find(told).unwrap().name, EventName::InputValidationFail);
    }
}
