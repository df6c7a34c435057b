//! Every key there is. `docs/configuration.md` says what each one means; a test compares the two.

use super::leaf::TimeOut;
use super::reader::Reader;
use crate::config::value::{
    AfterRollback, Algorithm, AtMaxSessions, Auth, BaseUrl, ClientName, ClientTransport, Cors as CorsBy,
    Csrf as CsrfCheck, Environment, ForwardingProxy, HeaderName, HostHeader, IdentityNames, LocalPath,
    LogFormat, LogLevel, Mailbox, PathPattern, ProductName, RefreshCall, SameSite, Scope, Signup, SmtpServer,
    StoreLocation, TlsMode, TrustedProxies, UpstreamCsrf, UpstreamName, UpstreamUrl,
};
use countersign_adapters::issuers::JwksUrl;
use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::retrofit::{Injection, Pointer, RequestLine, TokenLocation};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One definition makes the struct, the list of keys and the reading.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $leaf:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(in crate::config) struct $name {
            $(pub(in crate::config) $field: Option<$leaf>,)*
        }

        impl $name {
            pub(in crate::config) const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];

            pub(super) fn read(reader: &mut Reader<'_>) -> Self {
                reader.refuse_unknown(Self::KEYS);
                Self { $($field: reader.leaf(stringify!($field)),)* }
            }
        }
    };
}

section! {
    /// The keys before the first section.
    Root { environment: Environment, public_url: BaseUrl, store: StoreLocation, run_dir: PathBuf, }
}
section! {
    /// `[listen]`
    Listen {
        address: SocketAddr,
        admin: SocketAddr,
        health: SocketAddr,
        trusted_proxies: TrustedProxies,
        client_ip_header: HeaderName,
    }
}
section! {
    /// `[tls]`
    Tls { mode: TlsMode, cert_file: PathBuf, key_file: PathBuf, }
}
section! {
    /// `[tokens]`
    Tokens {
        access_ttl: Duration,
        idle_ttl: Duration,
        absolute_ttl: Duration,
        leeway: Duration,
        audience: Vec<String>,
    }
}
section! {
    /// `[rotation]`
    Rotation { reuse_grace: Duration, after_rollback: AfterRollback, }
}
section! {
    /// `[revocation]`
    Revocation { max_staleness: Duration, }
}
section! {
    /// `[cookies]`
    Cookies { same_site: SameSite, partitioned: bool, clear_site_data: bool, }
}
section! {
    /// `[csrf]`
    Csrf { header: HeaderName, }
}
section! {
    /// `[cors]`
    Cors { allowed_origins: Vec<BaseUrl>, }
}
section! {
    /// `[accounts]`
    Accounts { signup: Signup, login_url: LocalPath, max_sessions: u32, at_max_sessions: AtMaxSessions, }
}
section! {
    /// `[pages]`
    Pages { product_name: ProductName, }
}
section! {
    /// `[api_keys]`
    ApiKeys { max_ttl: Duration, max_per_user: u32, }
}
section! {
    /// `[mail]`
    Mail { smtp: SmtpServer, from: Mailbox, directory: PathBuf, }
}
section! {
    /// `[log]`
    Log { format: LogFormat, level: LogLevel, access: bool, }
}
section! {
    /// `[keys]`
    Keys { algorithm: Algorithm, prepublish: Duration, rotate_every: TimeOut, master_key_file: PathBuf, }
}
section! {
    /// `[passwords]`
    Passwords {
        min_length: u32,
        memory_kib: u32,
        iterations: u32,
        lanes: u32,
        parallel: u32,
        queue: u32,
        blocklist_file: PathBuf,
        context_words: Vec<String>,
    }
}
section! {
    /// `[throttle]`
    Throttle {
        max_failures: u32,
        free_failures: u32,
        first_delay: Duration,
        max_delay: Duration,
        network_attempts: u32,
    }
}
section! {
    /// `[forward_auth]`
    ForwardAuth { secret_file: PathBuf, proxy: ForwardingProxy, }
}
section! {
    /// `[limits]`
    Limits {
        connections: u32,
        head_timeout: Duration,
        first_byte: TimeOut,
        between_bytes: TimeOut,
        unready: Duration,
        drain: Duration,
    }
}
section! {
    /// `[[issuer]]`
    Issuer { issuer: BaseUrl, jwks_file: PathBuf, jwks_url: JwksUrl, }
}
section! {
    /// `[open_sessions]`
    OpenSessions { issuers: Vec<String>, create_users: bool, scope: Vec<Scope>, }
}
section! {
    /// `[[client]]`
    Client { id: ClientName, transport: ClientTransport, audience: Vec<String>, scope: Vec<Scope>, }
}
section! {
    /// `[[upstream]]`
    Upstream {
        name: UpstreamName,
        url: UpstreamUrl,
        csrf: UpstreamCsrf,
        host: HostHeader,
        identity_headers: IdentityNames,
        forwards_to: Vec<UpstreamName>,
        session_keys: Vec<ApiKeyId>,
        max_connections: u32,
        queue: u32,
        queue_timeout: Duration,
        connect_timeout: Duration,
        reuse_after_body: bool,
        first_byte: TimeOut,
        between_bytes: TimeOut,
    }
}
section! {
    /// `[[route]]`
    Route {
        path: PathPattern,
        upstream: UpstreamName,
        auth: Auth,
        csrf: CsrfCheck,
        cors: CorsBy,
        bounce: bool,
        scope: Vec<Scope>,
        max_auth_age: Duration,
        first_byte: TimeOut,
        between_bytes: TimeOut,
    }
}
section! {
    /// `[[retrofit]]`
    Retrofit {
        upstream: UpstreamName,
        login: Vec<RequestLine>,
        logout: Vec<RequestLine>,
        token: TokenLocation,
        inject: Injection,
        subject: Pointer,
        placeholder_claims: Vec<String>,
        refresh: RefreshCall,
        end_on_401: bool,
        body_limit: u32,
    }
}
