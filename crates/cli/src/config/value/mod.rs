//! The types that configured text is parsed into.

mod choice;
mod mail;
mod name;
mod network;
mod path;
mod retrofit;
mod store;

pub(crate) use choice::{
    AfterRollback, Algorithm, AtMaxSessions, Auth, ClientTransport, Cors, Csrf, ForwardingProxy, HostHeader,
    LogFormat, LogLevel, SameSite, Signup,
};
pub(super) use choice::{TlsMode, UpstreamCsrf};
pub(super) use mail::Mailbox;
pub(crate) use mail::{SmtpSecurity, SmtpServer};
pub(crate) use name::Environment;
pub(super) use name::{ClientName, HeaderName, IdentityNames, ProductName, Scope, UpstreamName};
pub(crate) use network::TrustedProxies;
pub(super) use network::{BaseUrl, UpstreamUrl, is_loopback, is_loopback_host};
pub(super) use path::LocalPath;
pub(crate) use path::PathPattern;
pub(super) use retrofit::RefreshCall;
pub(crate) use store::{SQLITE_ONLY, SQLITE_ONLY_REMEDY, StoreLocation};
