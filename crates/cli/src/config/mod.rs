//! Configuration: `countersign.toml`, overridden by the environment, overridden by flags (design §9).
//!
//! What was typed is one type ([`typed::Typed`]: every key optional, every value parsed), what was built is
//! another ([`Settings`]: defaults filled in, names resolved). Between a configuration that can be *read* and one
//! that may be *served* stands [`Checked`]: its settings come out only through [`Checked::start`], so no command
//! can forget the safety rules, while `check` can still look at an unsafe configuration and explain it.

mod capacity;
mod development;
mod finding;
mod lint;
mod load;
mod private;
mod probe;
mod problem;
mod settings;
mod shared_secret;
mod show;
mod span;
mod suggest;
#[cfg(test)]
mod tests;
mod typed;
mod value;

pub(crate) use capacity::{Capacity, capacity};
pub(crate) use development::{Development, DevelopmentUpstream};
pub(crate) use finding::{Finding, Level};
pub(crate) use lint::lint;
pub(crate) use load::{DEFAULT_FILE, Sources};
pub(crate) use private::Private;
pub(crate) use probe::probe;
pub(crate) use problem::{Problem, Refused};
pub(crate) use settings::{IdentityHeaders, Issuer, Mail, Route, Settings, Transport, Upstream};
pub(crate) use shared_secret::shared_secret;
pub(crate) use span::parse as parse_span;
pub(crate) use value::{
    AfterRollback, Algorithm, AtMaxSessions, Auth, ClientTransport, Cors, Csrf, ForwardingProxy, HostHeader,
    LogFormat, LogLevel, PathPattern, SQLITE_ONLY, SQLITE_ONLY_REMEDY, SameSite, Signup, SmtpSecurity,
    StoreLocation, TrustedProxies,
};

/// A configuration that could be read, with everything the lint has to say about it.
#[derive(Debug)]
pub(crate) struct Checked {
    settings: Settings,
    findings: Vec<Finding>,
}

impl Checked {
    /// Everything found, most serious first.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The settings as they are, unsafe ones included: for `check` and for reports, not for serving.
    pub(crate) fn inspect(&self) -> &Settings {
        &self.settings
    }

    /// Whether `check` has to end with exit code 1.
    #[cfg(test)]
    pub(crate) fn is_unsafe(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Unsafe)
    }

    /// The settings to serve with, and the findings to log.
    ///
    /// # Errors
    /// [`Refused`] with all findings that the environment does not permit: in a hardened environment every
    /// unsafe one, in development those that no environment permits.
    pub(crate) fn start(self) -> Result<(Settings, Vec<Finding>), Refused> {
        let hardened = self.settings.environment.is_hardened();
        let (refused, rest): (Vec<_>, Vec<_>) =
            self.findings.into_iter().partition(|finding| finding.stops_start(hardened));
        if refused.is_empty() {
            Ok((self.settings, rest))
        } else {
            Err(Refused::new(refused.into_iter().map(Problem::from).collect()))
        }
    }
}

/// Reads, builds and judges a configuration, without touching the files that it names (see [`probe()`]).
///
/// # Errors
/// [`Refused`] with every problem at once if the configuration cannot be understood.
pub(crate) fn read(sources: &Sources) -> Result<Checked, Refused> {
    let (typed, mut findings, mut problems) = typed::Typed::read(sources);
    let settings = settings::build(typed, &mut problems);
    match settings {
        Some(settings) if problems.is_empty() => {
            findings.extend(lint(&settings));
            findings.sort_by_key(|finding| finding.level);
            Ok(Checked { settings, findings })
        }
        _ => Err(Refused::new(problems)),
    }
}
