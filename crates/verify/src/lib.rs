//! Verifies Countersign's tokens inside other services: a tower layer for axum, hyper and everything else on tower.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_verify::Verifier;
//!
//! let verifier = Verifier::builder("https://app.example.com", "production")
//!     .audience("api")              // the name of this service's [[upstream]], or an entry of tokens.audience
//!     .assertions()                 // requests that come by way of the gateway
//!     .access_tokens()              // clients that call this service directly
//!     .revocations("csk_production_…")
//!     .start()?;
//! verifier.ready().await;
//! let layer = verifier.layer().scope("orders:read")?;
//! # drop(layer);
//! # Ok(())
//! # }
//! ```
//!
//! Put the layer around routes; handlers take a [`Principal`], or `Option<Principal>` behind [`VerifyLayer::optional`], and ask it:
//! `principal.require("orders:write")?`. Both refusals of the layer and of handlers are the problems that Countersign itself answers
//! with (RFC 9457; `docs/application.md`, "Refusals").
//!
//! What is checked is what Countersign checks, by the same code ([`countersign_core::domain::token`]): algorithm, key, issuer,
//! audience, environment, purpose, times and the type of every claim. What was revoked comes by the [feed](https://github.com/countersign/countersign/blob/main/docs/revocation-feed.md):
//! by stream within milliseconds, by a poll behind it, and if neither was heard for `max_staleness` (5 s), requests are answered 503 and
//! never pass.

mod chance;
mod clock;
mod config;
mod credential;
mod extract;
mod feed;
mod fetch;
mod keys;
mod layer;
mod principal;
mod problem;
mod refusal;
mod verifier;

pub use config::{Builder, ConfigError, Dangerous};
pub use countersign_core::domain::scope::{InvalidScope, ScopeSet};
pub use countersign_core::domain::time::Timestamp;
pub use fetch::InvalidOrigin;
pub use layer::{Verified, VerifyLayer};
pub use principal::{Credential, Principal};
pub use problem::{Code, Problem};
pub use refusal::Refusal;
pub use verifier::Verifier;
