//! Tokens, rotation, revocation, cookies, keys.

use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::{AfterRollback, Algorithm, HeaderName, SameSite, StoreLocation};
use std::path::PathBuf;
use std::time::Duration;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// `[tokens]` (design §4)
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Life of an access token.
    pub(crate) access_ttl: Duration,
    /// A session ends after this time without a request.
    pub(crate) idle_ttl: Duration,
    /// A session ends after this time in any case.
    pub(crate) absolute_ttl: Duration,
    /// Clock difference that verifiers forgive (A11).
    pub(crate) leeway: Duration,
    /// `aud` of access tokens; never empty.
    pub(crate) audience: Vec<String>,
}

/// `[rotation]` (design §5)
#[derive(Debug)]
pub(crate) struct Rotation {
    /// G: how long a replay is answered with the same tokens.
    pub(crate) reuse_grace: Duration,
    /// What to do with a generation newer than the store's.
    pub(crate) after_rollback: AfterRollback,
}

/// `[revocation]` (design §6)
#[derive(Debug)]
pub(crate) struct Revocation {
    /// A node that has heard nothing for this long asks the store on each request.
    pub(crate) max_staleness: Duration,
}

/// `[cookies]` (design §4). Names are fixed.
#[derive(Debug)]
pub(crate) struct Cookies {
    /// SameSite of the token cookies.
    pub(crate) same_site: SameSite,
    /// Whether they carry `Partitioned`.
    pub(crate) partitioned: bool,
    /// Whether logout also sends `Clear-Site-Data` (J06).
    pub(crate) clear_site_data: bool,
}

/// `[keys]` (design §4)
#[derive(Debug)]
pub(crate) struct Keys {
    /// Of new signing keys.
    pub(crate) algorithm: Algorithm,
    /// How long the next key is published before it signs (H08).
    pub(crate) prepublish: Duration,
    /// How long a signing key signs before the next one does; `None` if operators rotate.
    pub(crate) rotate_every: Option<Duration>,
    /// The master secret's file: beside a SQLite store unless named; `None` if it has to come from
    /// `COUNTERSIGN_MASTER_KEY`.
    pub(crate) master_key_file: Option<PathBuf>,
}

pub(super) fn tokens(typed: typed::Tokens, problems: &mut Vec<Problem>) -> Tokens {
    let audience = typed.audience.unwrap_or_else(|| vec!["app".into()]);
    if audience.is_empty() {
        let message = "a token for nobody in particular is a token for everybody";
        problems.push(Problem::with_value(
            "tokens.audience",
            "[]",
            message,
            "name your application: [\"app\"]",
        ));
    }
    if let Some(odd) =
        audience.iter().find(|name| name.len() > 256 || name.chars().any(|c| !c.is_ascii_graphic()))
    {
        let message = "an audience is at most 256 visible ASCII characters, without spaces";
        let value = format!("{:?}", odd.chars().take(80).collect::<String>());
        problems.push(Problem::with_value("tokens.audience", &value, message, "write a name or a URL"));
    }
    Tokens {
        access_ttl: typed.access_ttl.unwrap_or(Duration::from_secs(15 * 60)),
        idle_ttl: typed.idle_ttl.unwrap_or(Duration::from_secs(7 * DAY)),
        absolute_ttl: typed.absolute_ttl.unwrap_or(Duration::from_secs(30 * DAY)),
        leeway: typed.leeway.unwrap_or(Duration::from_secs(5)),
        audience,
    }
}

pub(super) fn rotation(typed: &typed::Rotation) -> Rotation {
    Rotation {
        reuse_grace: typed.reuse_grace.unwrap_or(Duration::from_secs(10)),
        after_rollback: typed.after_rollback.unwrap_or(AfterRollback::Heal),
    }
}

pub(super) fn revocation(typed: &typed::Revocation) -> Revocation {
    Revocation { max_staleness: typed.max_staleness.unwrap_or(Duration::from_secs(5)) }
}

pub(super) fn cookies(typed: &typed::Cookies) -> Cookies {
    Cookies {
        same_site: typed.same_site.unwrap_or(SameSite::Strict),
        partitioned: typed.partitioned.unwrap_or(false),
        clear_site_data: typed.clear_site_data.unwrap_or(false),
    }
}

/// Headers that a form or a simple cross-origin request can carry, or that mean something else already.
const NOT_FOR_CSRF: &[&str] = &[
    "accept",
    "accept-language",
    "authorization",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "forwarded",
    "host",
    "origin",
    "range",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

pub(super) fn csrf_header(typed: Option<HeaderName>, problems: &mut Vec<Problem>) -> String {
    let name = typed.map_or_else(|| "x-csrf-token".into(), |name| name.0);
    let families = ["sec-", "proxy-", "x-forwarded-", "countersign-", "x-auth-", "access-control-"];
    if NOT_FOR_CSRF.contains(&name.as_str()) || families.iter().any(|family| name.starts_with(family)) {
        let message = "this header has a meaning of its own, or other sites can send it";
        problems.push(Problem::with_value(
            "csrf.header",
            &format!("{name:?}"),
            message,
            "take a name such as \"X-CSRF-Token\"",
        ));
    }
    name
}

pub(super) fn keys(typed: typed::Keys, store: &StoreLocation) -> Keys {
    let beside_store = match store {
        StoreLocation::Sqlite(path) => Some(path.with_file_name("master.key")),
        StoreLocation::Postgres => None,
    };
    Keys {
        algorithm: typed.algorithm.unwrap_or(Algorithm::EdDsa),
        prepublish: typed.prepublish.unwrap_or(Duration::from_secs(DAY)),
        rotate_every: typed.rotate_every.map_or(Some(Duration::from_secs(30 * DAY)), |every| every.0),
        master_key_file: typed.master_key_file.or(beside_store),
    }
}
