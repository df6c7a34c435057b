//! The layer and the extractors, in a real axum router.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use countersign_verify::{Principal, Problem, Verifier};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::issuer::{Issuer, Way, headers, ready, until};

fn router(verifier: &Verifier) -> Router {
    let layer = verifier.layer();
    let maybe = |principal: Option<Principal>| async move {
        principal.map_or_else(|| String::from("nobody"), |p| p.user().to_owned())
    };
    let write = |principal: Principal| async move {
        principal.require("orders:write")?;
        Ok::<_, Problem>(principal.user().to_owned())
    };
    let recent = |principal: Principal| async move {
        principal.require_recent(std::time::Duration::from_secs(30))?;
        Ok::<_, Problem>("")
    };
    let who = |principal: Principal| async move { principal.user().to_owned() };
    Router::new()
        .route("/who", get(who))
        .route("/write", get(write))
        .route("/recent", get(recent))
        .route("/cached", get(|_: Principal| async { ([("cache-control", "public, max-age=60")], "") }))
        .layer(layer.clone())
        .merge(Router::new().route("/orders", get(who)).layer(layer.clone().scope("orders:write").unwrap()))
        .merge(Router::new().route("/maybe", get(maybe)).route("/must", get(who)).layer(layer.optional()))
        .route("/forgotten", get(who))
        .route("/forgotten-maybe", get(maybe))
}

async fn ask(router: &Router, path: &str, headers: &HeaderMap) -> Response<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    *request.headers_mut() = headers.clone();
    router.clone().oneshot(request).await.unwrap()
}

async fn text(answer: Response<Body>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn lets_in() {
    let issuer = Issuer::start().await;
    let router = router(&issuer.verifier().await);
    let reader = issuer.access(&json!({}));
    let writer = issuer.assertion(&json!({"scope": "orders:read orders:write"}));
    for (path, headers, body) in [
        ("/who", &reader, "LPJNul"),
        ("/who", &writer, "LPJNul"),
        ("/write", &writer, "LPJNul"),
        ("/orders", &writer, "LPJNul"),
        ("/maybe", &reader, "LPJNul"),
        ("/must", &reader, "LPJNul"),
        ("/maybe", &HeaderMap::new(), "nobody"),
    ] {
        let answer = ask(&router, path, headers).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let cache = answer.headers().get("cache-control").map(|v| v.to_str().unwrap().to_owned());
        let signed_in = body != "nobody";
        assert_eq!(cache.as_deref(), signed_in.then_some("no-store"), "J04: {path}");
        assert_eq!(text(answer).await, body, "{path}");
    }
    let cached = ask(&router, "/cached", &writer).await;
    assert_eq!(cached.headers().get("cache-control").unwrap(), "no-store", "J04");
}

#[tokio::test]
async fn refuses_as_the_server_does() {
    let issuer = Issuer::start().await;
    let router = router(&issuer.verifier().await);
    let (nobody, reader) = (HeaderMap::new(), issuer.access(&json!({})));
    let bad = headers(&[("authorization", "Bearer x")]);
    let other = issuer.access(&json!({"aud": "web"}));
    let invalid = "Bearer error=\"invalid_token\"";
    let scope = "Bearer error=\"insufficient_scope\", scope=\"orders:write\"";
    let cases = [
        ("/who", &nobody, 401, "token_missing", "Bearer"),
        ("/must", &nobody, 401, "token_missing", "Bearer"),
        ("/who", &bad, 401, "token_invalid", invalid),
        ("/maybe", &bad, 401, "token_invalid", invalid),
        ("/who", &other, 401, "wrong_audience", invalid),
        ("/orders", &nobody, 401, "token_missing", "Bearer"),
        ("/orders", &reader, 403, "insufficient_scope", scope),
        ("/write", &reader, 403, "insufficient_scope", scope),
    ];
    for (path, headers, status, code, challenge) in cases {
        let mut headers = headers.clone();
        headers.insert("x-request-id", "req-1".parse().unwrap());
        let answer = ask(&router, path, &headers).await;
        assert_eq!(answer.status(), status, "{path} {code}");
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/problem+json");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("www-authenticate"), challenge, "{path} {code}");
        let body: Value = serde_json::from_str(&text(answer).await).unwrap();
        assert_eq!(body["code"], code);
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("urn:countersign:problem:{code}"));
        if !path.starts_with("/write") && path != "/must" {
            assert_eq!(body["request_id"], "req-1", "{path} {code}");
        }
    }
    let step_up = ask(&router, "/recent", &reader).await;
    assert_eq!(step_up.status(), StatusCode::UNAUTHORIZED);
    let challenge = step_up.headers().get("www-authenticate").unwrap().to_str().unwrap().to_owned();
    assert!(challenge.contains("insufficient_user_authentication") && challenge.ends_with("max_age=30"));
}

/// A handler whose route nobody guards fails closed, and says so to the developer.
#[tokio::test]
async fn a_forgotten_layer_fails_closed() {
    let issuer = Issuer::start().await;
    let router = router(&issuer.verifier().await);
    for path in ["/forgotten", "/forgotten-maybe"] {
        let answer = ask(&router, path, &issuer.access(&json!({}))).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

/// K11: 503 with `Retry-After` while the feed is stale, on optional routes too.
#[tokio::test]
async fn k11_stale_is_503() {
    let issuer = Issuer::start().await;
    let verifier = ready(issuer.builder().max_staleness(std::time::Duration::from_secs(2))).await;
    let (router, token) = (router(&verifier), issuer.access(&json!({})));
    {
        let mut state = issuer.state();
        state.stream = Way::Off;
        state.poll = Way::Off;
        state.cut();
    }
    until(&verifier, &token, "store_unavailable", std::time::Duration::from_secs(5)).await;
    for path in ["/who", "/maybe"] {
        let answer = ask(&router, path, &token).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.headers().get("retry-after").unwrap(), "2");
    }
    assert_eq!(ask(&router, "/maybe", &HeaderMap::new()).await.status(), StatusCode::OK);
}
