//! From settings to the rules in force.

use super::blocklist;
use crate::config::{self, AfterRollback, AtMaxSessions, ClientTransport, Settings, Signup};
use anyhow::Context;
use countersign_core::domain::api_key::ApiKeyPolicy;
use countersign_core::domain::client::{Client, ClientId, Clients, Transport};
use countersign_core::domain::environment::Environment;
use countersign_core::domain::password::PasswordPolicy;
use countersign_core::domain::policy::{ApplicationPolicy, Policy, SessionLimit, SignUp};
use countersign_core::domain::rotation::{self, RotationPolicy};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::SessionPolicy;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::throttle::ThrottleRule;
use countersign_core::domain::token::access::AccessProfile;
use std::time::Duration;

/// Failures of an account are forgotten after an hour without one.
const ACCOUNT_WINDOW: Duration = Duration::from_secs(3600);
/// Attempts of a network are forgotten after this long without one.
const NETWORK_WINDOW: Duration = Duration::from_secs(15 * 60);
/// A network's delay grows between these: an office behind one address is slowed down, not locked out.
const NETWORK_DELAY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// A network's attempts are refused from this many times its free ones on.
const NETWORK_CAP: u32 = 10;
/// How long a link in a mail works (F09: at most 30 min).
const CODE_TTL: Duration = Duration::from_secs(30 * 60);

/// The environment.
pub(super) fn environment(settings: &Settings) -> anyhow::Result<Environment> {
    Ok(Environment::parse(settings.environment.as_str())?)
}

/// The rules.
pub(super) fn policy(settings: &Settings) -> anyhow::Result<Policy> {
    let tokens = &settings.tokens;
    let session = SessionPolicy {
        access_ttl: tokens.access_ttl,
        idle_ttl: tokens.idle_ttl,
        absolute_ttl: tokens.absolute_ttl,
        leeway: tokens.leeway,
    };
    Ok(Policy {
        access: AccessProfile {
            issuer: settings.public_url.origin().ascii_serialization().into(),
            audience: tokens.audience.iter().map(|name| name.as_str().into()).collect(),
            environment: environment(settings)?,
            leeway: tokens.leeway,
        },
        session,
        rotation: RotationPolicy::new(
            settings.rotation.reuse_grace,
            tokens.access_ttl + tokens.leeway,
            match settings.rotation.after_rollback {
                AfterRollback::Heal => rotation::AfterRollback::Heal,
                AfterRollback::Revoke => rotation::AfterRollback::Revoke,
            },
        ),
        product: settings.product_name.as_str().into(),
        sign_up: sign_up(settings),
        session_limit: Some(SessionLimit {
            max: settings.accounts.max_sessions,
            end_oldest: settings.accounts.at_max_sessions == AtMaxSessions::EndOldest,
        }),
        password: password(settings)?,
        account_throttle: account_rule(settings),
        network_throttle: network_rule(settings),
        api_keys: ApiKeyPolicy {
            max_ttl: settings.api_keys.max_ttl,
            max_per_user: settings.api_keys.max_per_user,
        },
        clients: clients(settings)?,
        applications: applications(settings)?,
        algorithm: match settings.keys.algorithm {
            config::Algorithm::EdDsa => Algorithm::EdDsa,
            config::Algorithm::Es256 => Algorithm::Es256,
        },
        prepublish: settings.keys.prepublish,
        rotate_every: settings.keys.rotate_every,
        max_staleness: settings.revocation.max_staleness,
        code_ttl: CODE_TTL,
    })
}

fn clients(settings: &Settings) -> anyhow::Result<Clients> {
    let clients = settings.clients.iter().map(|client| {
        Ok(Client {
            id: ClientId::parse(&client.id).with_context(|| format!("client id {:?}", client.id))?,
            transport: match client.transport {
                ClientTransport::Memory => Transport::Memory,
                ClientTransport::Body => Transport::Body,
            },
            audience: client.audience.as_ref().map(|names| names.iter().map(|n| n.as_str().into()).collect()),
            scope: scope(client.scope.as_deref())?,
        })
    });
    Ok(Clients::new(clients.collect::<anyhow::Result<_>>()?))
}

fn applications(settings: &Settings) -> anyhow::Result<ApplicationPolicy> {
    let open = &settings.open_sessions;
    Ok(ApplicationPolicy {
        issuers: open.issuers.iter().map(|issuer| issuer.as_str().into()).collect(),
        create_users: open.create_users,
        scope: scope(open.scope.as_deref())?,
    })
}

fn scope(names: Option<&[String]>) -> anyhow::Result<Option<ScopeSet>> {
    Ok(names.map(|names| ScopeSet::from_names(names.iter().map(String::as_str))).transpose()?)
}

fn sign_up(settings: &Settings) -> SignUp {
    match settings.accounts.signup {
        Signup::Off => SignUp::Off,
        Signup::Invite => SignUp::Invite,
        Signup::Open if settings.environment.is_hardened() => SignUp::Mailed,
        Signup::Open => SignUp::Immediate,
    }
}

fn password(settings: &Settings) -> anyhow::Result<PasswordPolicy> {
    let passwords = &settings.passwords;
    let own = match &passwords.blocklist_file {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("passwords.blocklist_file = {:?}", path.display().to_string()))?,
        None => String::new(),
    };
    let host = settings.public_url.host_str().unwrap_or_default();
    // Of a host such as shop.example.com, the names that people know it by.
    let site = host.split('.').filter(|label| label.chars().any(char::is_alphabetic));
    let product = [settings.product_name.as_str(), "countersign"];
    let context = passwords.context_words.iter().map(String::as_str).chain(site).chain(product);
    let policy = PasswordPolicy::single_factor(blocklist::words().chain(own.lines()), context);
    Ok(policy.with_minimum(passwords.min_length as usize))
}

fn account_rule(settings: &Settings) -> ThrottleRule {
    let throttle = &settings.throttle;
    ThrottleRule {
        free: throttle.free_failures,
        first_delay: throttle.first_delay,
        longest_delay: throttle.max_delay,
        cap: throttle.max_failures,
        window: ACCOUNT_WINDOW,
    }
}

fn network_rule(settings: &Settings) -> ThrottleRule {
    let free = settings.throttle.network_attempts;
    let (first_delay, longest_delay) = NETWORK_DELAY;
    ThrottleRule {
        free,
        first_delay,
        longest_delay,
        cap: free.saturating_mul(NETWORK_CAP),
        window: NETWORK_WINDOW,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, read};
    use countersign_core::domain::password::{Password, WeakPassword};
    use countersign_core::domain::user::Email;

    fn of(text: &str) -> Policy {
        let checked = read(&Sources::from_text("test.toml", text).unwrap()).unwrap();
        policy(checked.inspect()).unwrap()
    }

    #[test]
    fn settings_reach_the_rules() {
        let policy = of(
            "environment = \"development\"\n[tokens]\naccess_ttl = \"5m\"\n[rotation]\nreuse_grace = \"2s\"\n\
             [throttle]\nnetwork_attempts = 7\n[accounts]\nmax_sessions = 3\nat_max_sessions = \"refuse\"",
        );
        assert_eq!(&*policy.access.issuer, "https://localhost:8443");
        assert_eq!(policy.session.access_ttl, Duration::from_secs(300));
        assert_eq!(policy.rotation.reuse_grace, Duration::from_secs(2));
        assert_eq!(policy.rotation.access_lifetime, Duration::from_secs(305));
        assert_eq!((policy.network_throttle.free, policy.network_throttle.cap), (7, 70));
        assert_eq!(policy.session_limit, Some(SessionLimit { max: 3, end_oldest: false }));
        assert_eq!(policy.sign_up, SignUp::Immediate);
    }

    /// F03: the built-in list, the host's name and the configured words are all in force; F01: the minimum too.
    #[test]
    fn f01_f03_passwords_are_judged_by_all_lists() {
        let policy = of("environment = \"development\"\npublic_url = \"https://wonderland.localhost\"\n\
             [passwords]\nmin_length = 18\ncontext_words = [\"jabberwock\"]");
        let email = Email::parse("ada@example.com").unwrap();
        let judge = |text| policy.password.judge(&Password::parse(text).unwrap(), &email);
        assert_eq!(judge("seventeen letters"), Err(WeakPassword::TooShort { minimum: 18 }));
        assert_eq!(judge("passwordpasswordpassword"), Err(WeakPassword::Common));
        assert_eq!(judge("wonderland-wonderland"), Err(WeakPassword::Context));
        assert_eq!(judge("Jabberwock Jabberwock 1"), Err(WeakPassword::Context));
        assert_eq!(judge("violet tractor mends 47 quiet clouds"), Ok(()));
    }
}
