//! The cookies of design §4: names and attributes as values. How they look on the wire is `http`'s concern.

use std::time::Duration;

use super::environment::Environment;

/// Lifetime of the pre-session cookie.
pub const PRE_SESSION_TTL: Duration = Duration::from_secs(3600);
/// Lifetime of the mark that a request was bounced.
pub const BOUNCED_TTL: Duration = Duration::from_secs(10);
/// How long a browser remembers which session of it was cleared.
pub const FAREWELL_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a browser is remembered as a known device (B10: at most 400 days).
pub const DEVICE_TTL: Duration = Duration::from_secs(180 * 86_400);

/// Our cookies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CookieKind {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
    /// The CSRF token, readable by script (B03).
    Csrf,
    /// "This browser is signed in": no secret, Lax, for the bounce.
    Hint,
    /// The pre-session of somebody not signed in (C09).
    PreSession,
    /// This request was bounced already.
    Bounced,
    /// A browser that signed in before, so that throttling an account does not lock its owner out (F07).
    Device,
    /// The short-lived credential of a device-bound session.
    Bound,
    /// Which session ended here, for the words on the sign-in page ([`super::farewell`]).
    Farewell,
}

impl CookieKind {
    /// How many there are.
    pub const COUNT: usize = 9;
    /// All kinds.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Access,
        Self::Refresh,
        Self::Csrf,
        Self::Hint,
        Self::PreSession,
        Self::Bounced,
        Self::Device,
        Self::Bound,
        Self::Farewell,
    ];
    /// The four that live and die with a session.
    pub const SESSION: [Self; 4] = [Self::Access, Self::Refresh, Self::Csrf, Self::Hint];

    const fn stem(self) -> &'static str {
        match self {
            Self::Access => "cs-access",
            Self::Refresh => "cs-refresh",
            Self::Csrf => "cs-csrf",
            Self::Hint => "cs-hint",
            Self::PreSession => "cs-pre",
            Self::Bounced => "cs-bounced",
            Self::Device => "cs-device",
            Self::Bound => "cs-bound",
            Self::Farewell => "cs-farewell",
        }
    }

    /// `__Host-Http-` cannot be planted by script and degrades to `__Host-` (B02); script must read the CSRF cookie (B03), and
    /// browsers refuse the longer prefix for a bound credential.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access | Self::Refresh | Self::PreSession | Self::Device | Self::Farewell => "__Host-Http-",
            Self::Csrf | Self::Hint | Self::Bounced | Self::Bound => "__Host-",
        }
    }

    /// Whether script is kept away from it.
    #[must_use]
    pub const fn http_only(self) -> bool {
        !matches!(self, Self::Csrf)
    }

    /// The bounce needs a cookie that a cross-site navigation brings along; it holds no secret.
    const fn always_lax(self) -> bool {
        matches!(self, Self::Hint | Self::Bounced)
    }
}

/// `SameSite`, always explicit (B06, B07).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SameSite {
    /// Never sent on a request that another site caused.
    #[default]
    Strict,
    /// Sent on top-level GET navigations.
    Lax,
    /// Sent always; only with Secure and Partitioned.
    NonePartitioned,
}

/// Names and attributes in force at one deployment.
#[derive(Clone, Debug)]
pub struct CookiePolicy {
    names: [Box<str>; CookieKind::COUNT],
    secure: bool,
    same_site: SameSite,
}

/// Attributes of one cookie. No `Domain`, `Path=/` always (B01).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CookieAttributes {
    /// Not readable by script.
    pub http_only: bool,
    /// Only over HTTPS.
    pub secure: bool,
    /// When other sites may cause it to be sent.
    pub same_site: SameSite,
}

impl CookiePolicy {
    /// For HTTPS. In development the port is part of each name, because cookies ignore ports.
    #[must_use]
    pub fn https(environment: &Environment, port: u16, same_site: SameSite) -> Self {
        let suffix = if environment.is_hardened() { String::new() } else { format!("-{port}") };
        let names = CookieKind::ALL.map(|k| format!("{}{}{suffix}", k.prefix(), k.stem()).into());
        Self { names, secure: true, same_site }
    }

    /// The visible door to weaker cookies.
    #[must_use]
    pub const fn dangerous() -> Dangerous {
        Dangerous
    }

    /// The name of a cookie.
    #[must_use]
    pub fn name(&self, kind: CookieKind) -> &str {
        self.names.get(kind as usize).map_or("", |n| n)
    }

    /// Whose name this is. Exact and case-sensitive (B04).
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<CookieKind> {
        CookieKind::ALL.into_iter().find(|k| self.name(*k) == name)
    }

    /// Whether the name is one of ours in another spelling: servers that ignore case would read it as ours (B04).
    #[must_use]
    pub fn is_case_variant(&self, name: &str) -> bool {
        // Every cookie of every request comes by here, and each of our names has this in it.
        if !name.bytes().any(|b| b == b'-') {
            return false;
        }
        CookieKind::ALL.into_iter().any(|k| self.name(k).eq_ignore_ascii_case(name) && self.name(k) != name)
    }

    /// The attributes of a cookie.
    #[must_use]
    pub const fn attributes(&self, kind: CookieKind) -> CookieAttributes {
        let same_site = if kind.always_lax() { SameSite::Lax } else { self.same_site };
        CookieAttributes { http_only: kind.http_only(), secure: self.secure, same_site }
    }
}

/// Constructors that weaken cookies; named so that they stand out where they are called (style rule 8).
#[derive(Clone, Copy, Debug)]
pub struct Dangerous;

impl Dangerous {
    /// For plain HTTP in development: names without prefix (B14), no `Secure`, `SameSite=Lax`.
    #[must_use]
    pub fn plain_http(self, port: u16) -> CookiePolicy {
        let names = CookieKind::ALL.map(|k| format!("{}-{port}", k.stem()).into());
        CookiePolicy { names, secure: false, same_site: SameSite::Lax }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn production() -> CookiePolicy {
        CookiePolicy::https(&Environment::parse("production").unwrap(), 443, SameSite::Strict)
    }

    /// B01, B02, B03, B06: names and attributes of the contract.
    #[test]
    fn b01_b02_b03_names_and_attributes() {
        let p = production();
        assert_eq!(p.name(CookieKind::Access), "__Host-Http-cs-access");
        assert_eq!(p.name(CookieKind::Refresh), "__Host-Http-cs-refresh");
        assert_eq!(p.name(CookieKind::Csrf), "__Host-cs-csrf");
        assert_eq!(p.name(CookieKind::Hint), "__Host-cs-hint");
        assert_eq!(p.name(CookieKind::PreSession), "__Host-Http-cs-pre");
        assert_eq!(p.name(CookieKind::Bounced), "__Host-cs-bounced");
        assert_eq!(p.name(CookieKind::Bound), "__Host-cs-bound");
        for kind in CookieKind::ALL {
            let a = p.attributes(kind);
            assert!(a.secure);
            assert_eq!(a.http_only, kind != CookieKind::Csrf);
            let lax = matches!(kind, CookieKind::Hint | CookieKind::Bounced);
            assert_eq!(a.same_site == SameSite::Lax, lax);
        }
    }

    /// B10: how long browsers keep what outlives a session; none beyond 400 days.
    #[test]
    fn b10_lifetimes() {
        assert_eq!(FAREWELL_TTL, Duration::from_secs(900));
        assert_eq!(DEVICE_TTL, Duration::from_secs(15_552_000));
        assert_eq!((PRE_SESSION_TTL.as_secs(), BOUNCED_TTL.as_secs()), (3600, 10));
    }

    /// B14: plain HTTP uses separate names, without a prefix that browsers would refuse there.
    #[test]
    fn b14_plain_http_names() {
        let p = CookiePolicy::dangerous().plain_http(8443);
        assert_eq!(p.name(CookieKind::Access), "cs-access-8443");
        assert!(CookieKind::ALL.into_iter().all(|k| !p.name(k).starts_with("__") && !p.attributes(k).secure));
        let https = CookiePolicy::https(&Environment::parse("development").unwrap(), 8443, SameSite::Strict);
        assert_eq!(https.name(CookieKind::Access), "__Host-Http-cs-access-8443");
    }

    /// B04: exact names only; a case variant is recognised as an attack.
    #[test]
    fn b04_exact_names() {
        let p = production();
        assert_eq!(p.kind("__Host-Http-cs-access"), Some(CookieKind::Access));
        assert_eq!(p.kind("__host-http-cs-access"), None);
        assert!(p.is_case_variant("__host-http-cs-access"));
        assert!(!p.is_case_variant("__Host-Http-cs-access"));
        assert!(!p.is_case_variant("theme"));
    }
}
