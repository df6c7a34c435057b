//! The rules and settings that tests start from: the defaults of design §9.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::api_key::ApiKeyPolicy;
use countersign_core::domain::client::Clients;
use countersign_core::domain::cookie::CookiePolicy;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::isolation::Origins;
use countersign_core::domain::key::Keyring;
use countersign_core::domain::password::PasswordPolicy;
use countersign_core::domain::policy::{ApplicationPolicy, Policy, SessionLimit, SignUp};
use countersign_core::domain::rotation::{AfterRollback, RotationPolicy};
use countersign_core::domain::route::RouteTable;
use countersign_core::domain::session::SessionPolicy;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::throttle::ThrottleRule;
use countersign_core::domain::token::access::AccessProfile;
use countersign_core::port::MasterKeys;
use countersign_core::service::Audience;
use countersign_http::{IdentityHeaders, Settings, SiteUpstream, Transport};
use countersign_proxy::client_ip::Trusted;
use countersign_proxy::{Origin, PublicOrigin, Upstream, UpstreamConfig};
use http::HeaderName;

use crate::fake::FakeMasterKeys;

/// The rules that tests start from: the defaults of design §9, with sign-up by mail.
#[must_use]
pub fn policy(environment: &str, issuer: &str) -> Policy {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let session = SessionPolicy {
        access_ttl: minutes(15),
        idle_ttl: minutes(7 * 24 * 60),
        absolute_ttl: minutes(30 * 24 * 60),
        leeway: Duration::from_secs(5),
    };
    Policy {
        access: AccessProfile {
            issuer: issuer.into(),
            audience: vec!["app".into()],
            environment: Environment::parse(environment).expect("environment"),
            leeway: session.leeway,
        },
        rotation: RotationPolicy::new(
            Duration::from_secs(10),
            session.access_ttl + session.leeway,
            AfterRollback::Heal,
        ),
        product: "Testbed".into(),
        session,
        sign_up: if environment == "development" { SignUp::Immediate } else { SignUp::Mailed },
        session_limit: Some(SessionLimit { max: 100, end_oldest: true }),
        password: PasswordPolicy::single_factor(["passwordpassword", "qwertyuiop"], ["countersign"]),
        account_throttle: ThrottleRule {
            free: 5,
            first_delay: Duration::from_secs(1),
            longest_delay: minutes(15),
            cap: 100,
            window: minutes(60),
        },
        network_throttle: ThrottleRule {
            free: 100,
            first_delay: Duration::from_millis(250),
            longest_delay: Duration::from_secs(5),
            cap: 1000,
            window: minutes(15),
        },
        api_keys: ApiKeyPolicy::default(),
        clients: Clients::default(),
        applications: ApplicationPolicy::default(),
        algorithm: Algorithm::EdDsa,
        prepublish: minutes(24 * 60),
        rotate_every: None,
        max_staleness: Duration::from_secs(5),
        code_ttl: minutes(30),
    }
}

/// A keyring of the master secrets that a test has.
pub(super) fn keyring(environment: &Environment, master_keys: &FakeMasterKeys) -> Keyring {
    Keyring::new(environment.clone(), master_keys.load().expect("master secrets")).expect("keyring")
}

pub(super) fn upstreams(origins: &[String]) -> Vec<SiteUpstream> {
    let named = origins.iter().enumerate().map(|(index, origin)| {
        let name = if index == 0 { String::from("app") } else { format!("app{index}") };
        let origin = Origin::parse(origin).expect("upstream origin");
        SiteUpstream {
            upstream: Upstream::new(UpstreamConfig::new(name.clone(), origin)),
            audience: Audience { index: u32::try_from(index).expect("index"), names: vec![name.into()] },
            identity: IdentityHeaders::default(),
            retrofit: None,
            session_keys: Vec::new(),
        }
    });
    named.collect()
}

pub(super) fn settings(
    origin: &str,
    transport: Transport,
    hardened: bool,
    cookies: CookiePolicy,
) -> Settings {
    let loopback = "127.0.0.0/8".parse().expect("network");
    Settings {
        public_origin: origin.to_owned(),
        public: PublicOrigin::parse(origin).expect("public origin"),
        transport,
        hardened,
        cookies,
        origins: Origins::new(origin, []),
        cors_origins: Vec::new(),
        csrf_header: HeaderName::from_static("x-csrf-token"),
        trusted: if hardened { Trusted::Nets(vec![loopback]) } else { Trusted::Nobody },
        client_ip_header: HeaderName::from_static("x-forwarded-for"),
        login_url: String::from("/auth/login"),
        product: String::from("Countersign test"),
        clear_site_data: false,
        log_access: true,
        protected: Arc::default(),
        upstreams: Vec::new(),
        routes: RouteTable::default(),
        forward_auth: None,
        head_timeout: Duration::from_secs(10),
        write_stall: Duration::from_secs(60),
        connections: 4096,
    }
}
