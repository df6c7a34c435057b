//! What can be read and what cannot.

use super::{DEVELOPMENT, HARDENED, faults, readable, with};
use crate::config::{Algorithm, Level, Mail, SmtpSecurity, StoreLocation, TrustedProxies};
use std::path::Path;

/// Each malformed value is refused, by its key and by no other.
#[test]
fn malformed_values() {
    for (key, texts) in [
        (
            "public_url",
            &[
                "app.example.com",
                "https://app.example.com/x",
                "https://u:p@app.example.com",
                "ftp://x",
                "https:app",
                "https://a.example.com?x",
                "https://a b",
                "https:\\\\a",
                "*",
                "",
            ][..],
        ),
        ("store", &["mysql://x", "countersign.db", "sqlite:", "sqlite::memory:", "sqlite:x?mode=memory"]),
        ("listen.address", &["localhost:8443", "127.0.0.1", ":8443", "127.0.0.1:99999"]),
        (
            "listen.trusted_proxies",
            &["10.0.0.1/8", "localhost", "10.0.0.0/33", "10.0.0.0/8,x", "10.0.0.0/8,private"],
        ),
        ("listen.client_ip_header", &["x forwarded", "", "forwarded", "x:y"]),
        ("tls.mode", &["on", "auto", ""]),
        ("tokens.access_ttl", &["15", "15 minutes", "-1m", "", "1.5h"]),
        ("tokens.audience", &["", "a b", "ä"]),
        ("rotation.after_rollback", &["ignore"]),
        ("cookies.same_site", &["maybe"]),
        ("cookies.partitioned", &["yes", "1"]),
        ("csrf.header", &["Content-Type", "Cookie", "Sec-Fetch-Site", "X-Forwarded-For", "x y", "accept"]),
        ("cors.allowed_origins", &["*", "null", "https://a.example.com/x", "a.example.com"]),
        (
            "accounts.login_url",
            &["https://evil.example", "//evil.example", "/\\evil", "login", "/a/../b", "/\tx"],
        ),
        ("accounts.max_sessions", &["0", "-1", "many", "4294967296"]),
        (
            "pages.product_name",
            &[
                "",
                " Acme",
                "A\r\nBcc: x@y",
                "A name of more than forty characters is none",
                "Ac\u{202e}me",
                "Ac\u{200b}me",
                "=?utf-8?q?x?=",
            ],
        ),
        ("log.level", &["verbose"]),
        ("keys.algorithm", &["RS256", "HS256", "none"]),
        ("passwords.memory_kib", &["7", "1048577"]),
        ("passwords.iterations", &["0", "65"]),
        ("passwords.lanes", &["0", "17"]),
        ("passwords.parallel", &["0"]),
        ("throttle.max_failures", &["0"]),
        ("limits.connections", &["0"]),
        ("limits.head_timeout", &["0s"]),
        ("limits.first_byte", &["0s", "never", "60"]),
    ] {
        for text in texts {
            let found = faults(HARDENED, &[(key, text)]);
            assert_eq!(found, [key], "{key} = {text:?}");
        }
    }
}

/// Design §2: `[a-z][a-z0-9]{0,11}`; a bad label is reported alone, since every default hangs on it.
#[test]
fn environment_labels() {
    for label in ["production", "staging", "a", "eu1", "abcdefghijkl"] {
        assert!(readable(HARDENED, &[("environment", label)]).inspect().environment.is_hardened());
    }
    assert!(!readable(DEVELOPMENT, &[]).inspect().environment.is_hardened());
    for label in ["", "Production", "1st", "eu-west", "abcdefghijklm", "pröd", "dev_1", " production"] {
        assert_eq!(faults("", &[("environment", label)]), ["environment"], "{label:?}");
    }
}

/// TOML types that do not fit are refused with the key's name.
#[test]
fn wrong_types() {
    for (text, key) in [
        ("[tokens]\naccess_ttl = 900", "tokens.access_ttl"),
        ("[tokens]\naudience = \"app\"", "tokens.audience"),
        ("[tokens]\naudience = []", "tokens.audience"),
        ("[tokens]\naudience = [\"\"]", "tokens.audience"),
        ("[cookies]\npartitioned = \"true\"", "cookies.partitioned"),
        ("[accounts]\nmax_sessions = \"5\"", "accounts.max_sessions"),
        ("[accounts]\nmax_sessions = -5", "accounts.max_sessions"),
        ("[listen]\ntrusted_proxies = [8]", "listen.trusted_proxies"),
        ("[listen]\ntrusted_proxies = [\"private\", \"10.0.0.0/8\"]", "listen.trusted_proxies"),
        ("[[tokens]]\naccess_ttl = \"15m\"", "tokens"),
        ("[upstream]\nname = \"app\"", "upstream"),
        ("tokens = 5", "tokens"),
    ] {
        assert_eq!(faults(&format!("{DEVELOPMENT}{text}"), &[]), [key], "{text}");
    }
}

#[test]
fn stores() {
    for (text, path) in
        [("sqlite:a.db", "a.db"), ("sqlite:///var/lib/c.db", "/var/lib/c.db"), ("sqlite:/x/c.db", "/x/c.db")]
    {
        let checked = readable(HARDENED, &[("store", text)]);
        assert!(
            matches!(&checked.inspect().store, StoreLocation::Sqlite(p) if p == Path::new(path)),
            "{text}"
        );
    }
    let beside = readable(HARDENED, &[("store", "sqlite:/x/c.db")]);
    assert_eq!(beside.inspect().keys.master_key_file.as_deref(), Some(Path::new("/x/master.key")));
    for text in ["postgres://u:p@db.example.com/c", "postgresql://u:p@localhost/c?sslmode=verify-full"] {
        let checked = readable(HARDENED, &[("store", text)]);
        assert!(matches!(&checked.inspect().store, StoreLocation::Postgres), "{text}");
        let [finding] = &super::about(&checked, "store")[..] else { panic!("one finding about {text}") };
        assert!(finding.level == Level::Unsafe && finding.everywhere, "{finding}");
        assert!(finding.message.contains("SQLite only") && !finding.remedy.contains("postgres"), "{finding}");
    }
    let refused = with(HARDENED, &[("store", "mysql://h/d")]).unwrap_err();
    assert!(!refused.to_string().contains("postgres"), "{refused}");
}

#[test]
fn mail() {
    let from = ("mail.from", "App <app@example.com>");
    for (text, host, port, security, user) in [
        (
            "smtps://u:p%40w@mail.example.com",
            "mail.example.com",
            465,
            SmtpSecurity::Implicit,
            Some(("u", "p@w")),
        ),
        ("smtp://mail.example.com", "mail.example.com", 587, SmtpSecurity::StartTls, None),
        ("smtp://mail.example.com:2525", "mail.example.com", 2525, SmtpSecurity::StartTls, None),
        ("smtp://localhost", "localhost", 25, SmtpSecurity::LoopbackPlain, None),
    ] {
        let checked = readable(HARDENED, &[("mail.smtp", text), from]);
        let Some(Mail::Smtp { server, .. }) = &checked.inspect().mail else { panic!("{text}") };
        let credentials =
            server.credentials.as_ref().map(|(user, password)| (user.as_str(), password.expose()));
        assert_eq!(
            (server.host.as_str(), server.port, server.security, credentials),
            (host, port, security, user),
            "{text}"
        );
    }
    for text in
        ["mail.example.com", "http://x", "smtp://", "smtps://u@x", "smtps://x/path", "smtps://u:p@x?tls=no"]
    {
        assert_eq!(faults(HARDENED, &[("mail.smtp", text), from]), ["mail.smtp"], "{text}");
    }
    for text in ["app", "a@b@c", "@x", "App <a@b", "a@b\r\nBcc: x@y", ""] {
        assert_eq!(
            faults(HARDENED, &[("mail.smtp", "smtp://localhost"), ("mail.from", text)]),
            ["mail.from"],
            "{text:?}"
        );
    }
    assert_eq!(faults(HARDENED, &[("mail.smtp", "smtp://localhost")]), ["mail.from"]);
    assert_eq!(faults(HARDENED, &[from]), ["mail.smtp"]);
    assert_eq!(
        faults(HARDENED, &[from, ("mail.smtp", "smtp://localhost"), ("mail.directory", "m")]),
        ["mail"]
    );
}

/// A20: the fully specified name is understood beside the old one.
#[test]
fn algorithms() {
    for (text, expected) in
        [("EdDSA", Algorithm::EdDsa), ("Ed25519", Algorithm::EdDsa), ("es256", Algorithm::Es256)]
    {
        assert_eq!(readable(HARDENED, &[("keys.algorithm", text)]).inspect().keys.algorithm, expected);
    }
}

#[test]
fn proxies_and_listeners() {
    let file = format!("{HARDENED}[listen]\ntrusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]");
    let checked = readable(&file, &[]);
    assert_eq!(checked.inspect().listen.trusted_proxies.to_string(), "[\"10.0.0.0/8\", \"2001:db8::1/128\"]");
    let private = readable(HARDENED, &[("listen.trusted_proxies", "private")]);
    assert_eq!(private.inspect().listen.trusted_proxies, TrustedProxies::Private);
    let listed = readable(&format!("{HARDENED}[listen]\ntrusted_proxies = [\"private\"]"), &[]);
    assert_eq!(listed.inspect().listen.trusted_proxies, TrustedProxies::Private);
    assert_eq!(faults(HARDENED, &[("listen.admin", "127.0.0.1:8443")]), ["listen.admin"]);
    assert_eq!(faults(HARDENED, &[("listen.health", "127.0.0.1:9443")]), ["listen.health"]);
    assert!(with(HARDENED, &[("listen.address", "127.0.0.1:0"), ("listen.admin", "127.0.0.1:0")]).is_ok());
}

/// Certificates go with `files` alone.
#[test]
fn tls_files() {
    let url = "public_url = \"https://app.example.com\"\n";
    assert_eq!(faults(url, &[]), ["tls.cert_file", "tls.key_file"]);
    assert_eq!(faults(url, &[("tls.cert_file", "c.pem")]), ["tls.key_file"]);
    assert_eq!(faults(DEVELOPMENT, &[("tls.cert_file", "c.pem")]), ["tls.cert_file"]);
}
