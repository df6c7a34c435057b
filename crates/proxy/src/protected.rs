//! Header names that only the gateway may set.

/// The inbound header families that a client must never deliver (design §7, K01), with the configured
/// identity header names.
///
/// Names are compared case-insensitively and with every character other than a letter or digit equal to `-`:
/// CGI, WSGI and Rack turn `X-Auth-User` and `x_auth_user` into the same variable, so an underscore would
/// otherwise walk past the filter (CVE-2025-64484).
#[derive(Debug, Clone, Default)]
pub struct Protected {
    extra: Vec<Box<[u8]>>,
}

const PREFIXES: [&[u8]; 2] = [b"countersign-", b"x-forwarded-"];
const NAMES: [&[u8]; 10] = [
    b"forwarded",
    b"x-forwarded",
    b"x-real-ip",
    b"x-auth-user",
    b"x-auth-email",
    b"x-auth-session",
    b"x-auth-scopes",
    b"x-original-url",
    b"x-original-uri",
    b"x-rewrite-url",
];

impl Protected {
    /// The fixed families and these names besides.
    #[must_use]
    pub fn new<I>(extra: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { extra: extra.into_iter().map(|name| name.as_ref().bytes().map(fold).collect()).collect() }
    }

    /// Whether only the gateway may set a header of this name.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let name = name.as_bytes();
        // Nearly all names end here: the fixed families begin with three letters.
        let family = match name.first().copied().map(fold) {
            Some(b'c' | b'x' | b'f') => {
                PREFIXES.iter().any(|prefix| name.get(..prefix.len()).is_some_and(|head| same(head, prefix)))
                    || NAMES.iter().any(|other| same(name, other))
            }
            _ => false,
        };
        family || self.extra.iter().any(|other| same(name, other))
    }
}

/// Whether a name would be a framing field's if `_` were `-`: what CGI and its kind make of both is one variable.
pub(crate) fn disguises_framing(name: &str) -> bool {
    matches!(name.as_bytes().first(), Some(b'c' | b't'))
        && ["content-length", "transfer-encoding"]
            .into_iter()
            .any(|real| name != real && same(name.as_bytes(), real.as_bytes()))
}

/// `other` is folded already.
fn same(name: &[u8], other: &[u8]) -> bool {
    name.len() == other.len() && name.iter().zip(other).all(|(a, b)| fold(*a) == *b)
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K01: families, every spelling.
    #[test]
    fn k01_families_are_covered_in_every_spelling() {
        let protected = Protected::new(["X-Remote-User", "remote_user"]);
        for name in [
            "countersign-assertion",
            "Countersign_Assertion",
            "COUNTERSIGN-x",
            "x-auth-user",
            "x_auth_user",
            "X-Auth_Email",
            "x.auth.session",
            "x-auth-scopes",
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_proto",
            "x-forwarded-anything",
            "x-forwarded",
            "x-real-ip",
            "x_real_ip",
            "x-original-url",
            "x_original_uri",
            "x-rewrite-url",
            "x-remote-user",
            "X_REMOTE_USER",
            "remote-user",
            "REMOTE_USER",
        ] {
            assert!(protected.covers(name), "{name}");
        }
    }

    #[test]
    fn neighbours_are_not_covered() {
        let protected = Protected::new(["X-Remote-User"]);
        for name in [
            "host",
            "cookie",
            "x-requested-with",
            "x-csrf-token",
            "x-auth-users",
            "countersign",
            "content-type",
            "x-forwardedfor",
            "x-remote-user-agent",
            "",
        ] {
            assert!(!protected.covers(name), "{name}");
        }
    }
}
