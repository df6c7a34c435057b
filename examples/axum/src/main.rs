//! An orders service that takes nobody's word for who is calling: it verifies Countersign's assertions (from the gateway, and from
//! services behind it) and access tokens (from clients that call it directly).
//!
//! | variable | holds |
//! |---|---|
//! | `COUNTERSIGN_URL` | `public_url` of Countersign |
//! | `COUNTERSIGN_ENV` | its `environment` |
//! | `COUNTERSIGN_API_KEY` | an API key with the scope `revocations:read` |
//! | `COUNTERSIGN_CA` | optional: a file with the certificate authority, `.countersign/ca/ca.pem` under `countersign dev` |
//! | `LISTEN` | optional: `127.0.0.1:3001` unless said otherwise |
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program: it reads its environment and says where it listens"
)]

use std::env::var;
use std::time::Duration;

use anyhow::Context;
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_verify::{Principal, Problem, Verifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let verifier = verifier()?;
    let listener = TcpListener::bind(var("LISTEN").as_deref().unwrap_or("127.0.0.1:3001")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service(&verifier)?).await?;
    Ok(())
}

fn verifier() -> anyhow::Result<Verifier> {
    let needed = |name: &str| var(name).with_context(|| format!("{name} is not set"));
    let mut builder = Verifier::builder(&needed("COUNTERSIGN_URL")?, &needed("COUNTERSIGN_ENV")?)
        // The name of this service's [[upstream]], and an entry of tokens.audience.
        .audience("api")
        .assertions()
        .access_tokens()
        .revocations(&needed("COUNTERSIGN_API_KEY")?);
    if let Ok(file) = var("COUNTERSIGN_CA") {
        let pem = std::fs::read(&file).with_context(|| format!("cannot read {file}"))?;
        builder = builder.certificate_authorities(&pem);
    }
    Ok(builder.start()?)
}

/// Everything but the health check is behind the layer.
fn service(verifier: &Verifier) -> anyhow::Result<Router> {
    let verified = verifier.layer();
    let health = verifier.clone();
    Ok(Router::new()
        .route("/me", get(me))
        .route("/orders", post(order))
        .layer(verified.clone())
        .merge(Router::new().route("/orders", get(orders)).layer(verified.clone().scope("orders:read")?))
        .merge(Router::new().route("/greeting", get(greeting)).layer(verified.optional()))
        .route(
            "/healthz",
            get(|| async move { if health.is_ready() { Ok("ready") } else { Err("not ready") } }),
        ))
}

async fn me(principal: Principal) -> Json<Value> {
    Json(
        json!({"user": principal.user(), "scope": principal.scope().to_string(), "email": principal.verified_email()}),
    )
}

/// The layer has asked for `orders:read`.
async fn orders(principal: Principal) -> Json<Value> {
    Json(json!({"orders": [], "of": principal.user()}))
}

/// Asks in the handler, and for a recent sign-in.
async fn order(principal: Principal) -> Result<&'static str, Problem> {
    principal.require("orders:write")?;
    principal.require_recent(Duration::from_secs(600))?;
    Ok("ordered")
}

/// Open to everybody; knows whom it greets where somebody is signed in.
async fn greeting(principal: Option<Principal>) -> String {
    principal.map_or_else(|| String::from("Hello!"), |principal| format!("Hello, {}!", principal.user()))
}
