//! HTTP: the only crate with routes, cookies on the wire and HTML (design §3, §7).
//!
//! A [`Site`] ties an engine to its settings; [`serve`] listens. Requests under `/auth` and `/.well-known` go to the
//! router, all others straight to the gateway.

mod credentials;
mod dispatch;
mod gateway;
mod live;
mod misplaced;
pub mod pages;
mod route;
mod server;
mod site;
mod wire;

pub use gateway::retrofit::SiteRetrofit;
pub use route::{ForwardAuth, ForwardingProxy, OwnRoute, device, own_routes};
pub use server::{Listeners, Shutdown, TlsConfig, serve};
pub use site::{IdentityHeaders, Settings, Site, SiteUpstream, Transport};
