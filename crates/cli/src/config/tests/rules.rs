//! Each rule of the lint: the value that breaks it and the nearest one that does not.

use super::{DEVELOPMENT, HARDENED, about, faults, readable, worst};
use crate::config::Level::{self, Note, Unsafe, Warning};

/// File, values, key, what is said: a level, and for unsafe ones whether development is refused too.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str, Option<(Level, bool)>);

const NO: Option<(Level, bool)> = None;
const WARN: Option<(Level, bool)> = Some((Warning, false));
const NOTE: Option<(Level, bool)> = Some((Note, false));
/// Refused in hardened environments.
const HARD: Option<(Level, bool)> = Some((Unsafe, false));
/// Refused in every environment.
const EVER: Option<(Level, bool)> = Some((Unsafe, true));

fn judge(rows: &[Row]) {
    for (file, values, key, expected) in rows {
        let checked = readable(file, values);
        let found = about(&checked, key);
        let said = found.first().map(|finding| (finding.level, finding.everywhere));
        assert_eq!(said, *expected, "{values:?} → {key}: {found:?}");
        assert!(found.len() <= 1, "{values:?} → {key} is judged twice: {found:?}");
        // The start obeys the finding.
        let refused = checked.start().err().map(|refused| refused.to_string()).unwrap_or_default();
        let hardened = *file == HARDENED;
        let stops = matches!(expected, Some((Unsafe, everywhere)) if hardened || *everywhere);
        assert_eq!(refused.contains(key), stops, "{values:?} → {key}: {refused}");
    }
}

/// A11, D15, design §4: lifetimes of tokens and sessions.
#[test]
fn lifetimes() {
    judge(&[
        (HARDENED, &[("tokens.access_ttl", "61m")], "tokens.access_ttl", HARD),
        (DEVELOPMENT, &[("tokens.access_ttl", "61m")], "tokens.access_ttl", HARD),
        (HARDENED, &[("tokens.access_ttl", "1h")], "tokens.access_ttl", NO),
        (HARDENED, &[("tokens.access_ttl", "59s")], "tokens.access_ttl", WARN),
        (DEVELOPMENT, &[("tokens.access_ttl", "999ms")], "tokens.access_ttl", EVER),
        (HARDENED, &[("tokens.idle_ttl", "29m")], "tokens.idle_ttl", EVER),
        (DEVELOPMENT, &[("tokens.idle_ttl", "29m")], "tokens.idle_ttl", EVER),
        (HARDENED, &[("tokens.idle_ttl", "30m")], "tokens.idle_ttl", NO),
        (HARDENED, &[("tokens.idle_ttl", "31d")], "tokens.idle_ttl", WARN),
        (HARDENED, &[("tokens.leeway", "60s")], "tokens.leeway", NO),
        (HARDENED, &[("tokens.leeway", "61s")], "tokens.leeway", EVER),
        (HARDENED, &[("tokens.absolute_ttl", "401d")], "tokens.absolute_ttl", EVER),
        (HARDENED, &[("tokens.absolute_ttl", "400d")], "tokens.absolute_ttl", WARN),
        (HARDENED, &[("tokens.absolute_ttl", "31d")], "tokens.absolute_ttl", WARN),
        (HARDENED, &[], "tokens.absolute_ttl", NOTE),
        (
            HARDENED,
            &[("tokens.absolute_ttl", "24h"), ("tokens.idle_ttl", "61m")],
            "tokens.absolute_ttl",
            NOTE,
        ),
        (
            HARDENED,
            &[("tokens.absolute_ttl", "12h"), ("tokens.idle_ttl", "15m"), ("tokens.access_ttl", "5m")],
            "tokens.absolute_ttl",
            NO,
        ),
    ]);
}

/// D05, H03, H08, design §5: rotation, revocation, signing keys.
#[test]
fn rotation_and_keys() {
    judge(&[
        (HARDENED, &[("rotation.reuse_grace", "0s")], "rotation.reuse_grace", WARN),
        (HARDENED, &[("rotation.reuse_grace", "1999ms")], "rotation.reuse_grace", EVER),
        (HARDENED, &[("rotation.reuse_grace", "2s")], "rotation.reuse_grace", NO),
        (HARDENED, &[("rotation.reuse_grace", "10s")], "rotation.reuse_grace", NO),
        (HARDENED, &[("rotation.reuse_grace", "60s")], "rotation.reuse_grace", NOTE),
        (DEVELOPMENT, &[("rotation.reuse_grace", "61s")], "rotation.reuse_grace", EVER),
        (HARDENED, &[("revocation.max_staleness", "999ms")], "revocation.max_staleness", EVER),
        (HARDENED, &[("revocation.max_staleness", "5s")], "revocation.max_staleness", NO),
        (HARDENED, &[("revocation.max_staleness", "30s")], "revocation.max_staleness", NOTE),
        (HARDENED, &[("revocation.max_staleness", "31s")], "revocation.max_staleness", EVER),
        (HARDENED, &[("keys.prepublish", "59m")], "keys.prepublish", HARD),
        (HARDENED, &[("keys.prepublish", "23h")], "keys.prepublish", WARN),
        (HARDENED, &[("keys.prepublish", "24h")], "keys.prepublish", NO),
        (HARDENED, &[("keys.rotate_every", "none")], "keys.rotate_every", WARN),
        (HARDENED, &[("keys.rotate_every", "24h")], "keys.rotate_every", EVER),
        (HARDENED, &[("keys.rotate_every", "400d")], "keys.rotate_every", WARN),
        (HARDENED, &[("keys.rotate_every", "25h")], "keys.rotate_every", NO),
    ]);
}

/// B14, K04, design §4: where it listens, and whom it believes.
#[test]
fn network() {
    let no_files = "public_url = \"https://app.example.com\"\n";
    judge(&[
        (HARDENED, &[("public_url", "http://app.example.com")], "public_url", HARD),
        (HARDENED, &[("listen.trusted_proxies", "0.0.0.0/0")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "::/0")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "64.0.0.0/4")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "0.0.0.0/1,128.0.0.0/1")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "4.0.0.0/8,5.0.0.0/8")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "2000::/15")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "2001::/16")], "listen.trusted_proxies", NO),
        (HARDENED, &[("listen.trusted_proxies", "fc00::/7,fe80::/10")], "listen.trusted_proxies", NO),
        (HARDENED, &[("listen.trusted_proxies", "fc00::/6")], "listen.trusted_proxies", HARD),
        (HARDENED, &[("listen.trusted_proxies", "10.0.0.0/8")], "listen.trusted_proxies", NO),
        (HARDENED, &[("listen.trusted_proxies", "private")], "listen.trusted_proxies", NOTE),
        (HARDENED, &[("listen.client_ip_header", "x-real-ip")], "listen.client_ip_header", NOTE),
        (HARDENED, &[("listen.admin", "0.0.0.0:9443")], "listen.admin", WARN),
        (DEVELOPMENT, &[("public_url", "https://app.example.com")], "public_url", EVER),
        (DEVELOPMENT, &[("public_url", "https://app.localhost:8443")], "public_url", NO),
        (DEVELOPMENT, &[("public_url", "https://[::1]:8443")], "public_url", NO),
        (DEVELOPMENT, &[("public_url", "https://localhost.example.com")], "public_url", EVER),
        (
            DEVELOPMENT,
            &[("public_url", "http://localhost:8443"), ("tls.mode", "local-ca")],
            "public_url",
            EVER,
        ),
        (DEVELOPMENT, &[("public_url", "https://localhost:8443"), ("tls.mode", "off")], "public_url", EVER),
        (DEVELOPMENT, &[("listen.address", "0.0.0.0:8443")], "listen.address", EVER),
        (DEVELOPMENT, &[("listen.address", "[::ffff:127.0.0.1]:8443")], "listen.address", NO),
        (DEVELOPMENT, &[("listen.health", "192.0.2.1:80")], "listen.health", EVER),
        (DEVELOPMENT, &[("listen.trusted_proxies", "127.0.0.1")], "listen.trusted_proxies", WARN),
    ]);
    // Behind a proxy, nothing is left to warn about.
    assert_eq!(
        worst(&readable(no_files, &[("tls.mode", "off"), ("listen.trusted_proxies", "10.0.0.7")])),
        Some(Note)
    );
    let alone = readable(no_files, &[("tls.mode", "off")]);
    assert_eq!(about(&alone, "tls.mode")[0].level, Unsafe);
    let local = readable(no_files, &[("tls.mode", "local-ca")]);
    assert!(about(&local, "tls.mode")[0].everywhere);
    let rehearsal = readable(no_files, &[("tls.mode", "local-ca"), ("public_url", "https://app.test")]);
    assert_eq!(about(&rehearsal, "tls.mode")[0].level, Warning);
}

/// B06, C10, J06: cookies, other origins, logs.
#[test]
fn web() {
    judge(&[
        (HARDENED, &[("cookies.same_site", "Lax")], "cookies.same_site", NOTE),
        (HARDENED, &[("cookies.same_site", "none")], "cookies.same_site", EVER),
        (
            HARDENED,
            &[("cookies.same_site", "none"), ("cookies.partitioned", "true")],
            "cookies.same_site",
            WARN,
        ),
        (HARDENED, &[("cookies.partitioned", "true")], "cookies.partitioned", NOTE),
        (HARDENED, &[("cookies.clear_site_data", "true")], "cookies.clear_site_data", WARN),
        (
            DEVELOPMENT,
            &[
                ("cookies.same_site", "none"),
                ("cookies.partitioned", "true"),
                ("public_url", "http://localhost:8443"),
            ],
            "cookies.same_site",
            EVER,
        ),
        (HARDENED, &[("cors.allowed_origins", "https://app.example.com")], "cors.allowed_origins", NOTE),
        (HARDENED, &[("cors.allowed_origins", "https://www.example.com")], "cors.allowed_origins", NO),
        (HARDENED, &[("cors.allowed_origins", "http://www.example.com")], "cors.allowed_origins", HARD),
        (HARDENED, &[("cors.allowed_origins", "http://localhost:5173")], "cors.allowed_origins", WARN),
        (DEVELOPMENT, &[("cors.allowed_origins", "http://localhost:5173")], "cors.allowed_origins", NO),
        (HARDENED, &[("log.level", "trace")], "log.level", WARN),
        (DEVELOPMENT, &[("log.level", "trace")], "log.level", NO),
        (HARDENED, &[("limits.between_bytes", "none")], "limits.between_bytes", WARN),
        (HARDENED, &[("limits.head_timeout", "61s")], "limits.head_timeout", WARN),
    ]);
}

/// D14, F01, F04, F05, F07: accounts and passwords.
#[test]
fn accounts() {
    let mail: &[(&str, &str)] = &[
        ("accounts.signup", "open"),
        ("mail.smtp", "smtps://mail.example.com"),
        ("mail.from", "a@example.com"),
    ];
    assert!(about(&readable(HARDENED, mail), "accounts.signup").is_empty());
    judge(&[
        (HARDENED, &[("accounts.signup", "open")], "accounts.signup", HARD),
        (HARDENED, &[("accounts.signup", "invite")], "accounts.signup", HARD),
        (DEVELOPMENT, &[("accounts.signup", "open")], "accounts.signup", NO),
        (HARDENED, &[("accounts.max_sessions", "101")], "accounts.max_sessions", WARN),
        (HARDENED, &[("mail.directory", "mail"), ("mail.from", "a@example.com")], "mail.directory", WARN),
        (DEVELOPMENT, &[("mail.directory", "mail"), ("mail.from", "a@example.com")], "mail.directory", NO),
        (HARDENED, &[("passwords.min_length", "14")], "passwords.min_length", HARD),
        (DEVELOPMENT, &[("passwords.min_length", "7")], "passwords.min_length", EVER),
        (HARDENED, &[("passwords.min_length", "65")], "passwords.min_length", EVER),
        (HARDENED, &[("passwords.memory_kib", "19455")], "passwords.memory_kib", EVER),
        (HARDENED, &[("passwords.iterations", "1")], "passwords.iterations", EVER),
        (
            HARDENED,
            &[("passwords.memory_kib", "65536"), ("passwords.parallel", "17")],
            "passwords.memory_kib",
            WARN,
        ),
        (HARDENED, &[("throttle.max_failures", "101")], "throttle.max_failures", HARD),
        (HARDENED, &[("throttle.max_failures", "5")], "throttle.free_failures", WARN),
        (HARDENED, &[("throttle.max_delay", "999ms")], "throttle.first_delay", HARD),
    ]);
}

/// The defaults are the safe ones: nothing to warn about, here and in development.
#[test]
fn defaults_are_safe() {
    for file in [HARDENED, DEVELOPMENT] {
        let checked = readable(file, &[]);
        assert_eq!(worst(&checked), Some(Note), "{:?}", checked.findings());
        assert!(!checked.is_unsafe());
        assert!(checked.start().is_ok());
    }
    // Without a word about the environment it is a hardened one.
    assert_eq!(faults("", &[]), ["public_url", "tls.cert_file", "tls.key_file"]);
}
