//! B01-B04, B06, B14: the cookie table of design §4, for every kind and every way to configure it.

#![expect(clippy::expect_used, reason = "all of this is test code: stopping is how it fails")]

use std::collections::HashSet;

use countersign_core::domain::cookie::{CookieKind, CookiePolicy, SameSite};
use countersign_core::domain::environment::Environment;

fn environment(label: &str) -> Environment {
    Environment::parse(label).expect("a label")
}

/// B01, B02: a prefix that script cannot plant where script has no business; never the one that degrades to nothing.
#[test]
fn b01_b02_prefixes() {
    for label in ["development", "staging", "production"] {
        let policy = CookiePolicy::https(&environment(label), 8443, SameSite::Strict);
        for kind in CookieKind::ALL {
            let name = policy.name(kind);
            assert!(name.starts_with("__Host-") && policy.attributes(kind).secure, "{name}");
            assert_eq!(name.ends_with("-8443"), label == "development", "{name}");
        }
        for kind in [CookieKind::Access, CookieKind::Refresh, CookieKind::PreSession] {
            assert!(policy.name(kind).starts_with("__Host-Http-cs-"));
        }
    }
}

/// Two deployments on one host in development do not see each other's cookies, and no two kinds share a name.
#[test]
fn names_are_distinct() {
    let development = environment("development");
    let mut names = HashSet::new();
    for port in [8443, 8444] {
        for policy in [
            CookiePolicy::https(&development, port, SameSite::Strict),
            CookiePolicy::dangerous().plain_http(port),
        ] {
            for kind in CookieKind::ALL {
                assert!(names.insert(policy.name(kind).to_owned()), "{kind:?} twice");
                assert_eq!(policy.kind(policy.name(kind)), Some(kind));
            }
        }
    }
}

/// B06: the configured SameSite reaches the credentials; what the bounce needs stays Lax, and only script's own cookie is readable.
#[test]
fn b03_b06_attributes_follow_the_configuration() {
    for same_site in [SameSite::Strict, SameSite::Lax, SameSite::NonePartitioned] {
        let policy = CookiePolicy::https(&environment("production"), 443, same_site);
        for kind in CookieKind::ALL {
            let attributes = policy.attributes(kind);
            let lax = matches!(kind, CookieKind::Hint | CookieKind::Bounced);
            assert_eq!(attributes.same_site, if lax { SameSite::Lax } else { same_site }, "{kind:?}");
            assert_eq!(attributes.http_only, kind != CookieKind::Csrf, "{kind:?}");
        }
    }
    let plain = CookiePolicy::dangerous().plain_http(3000);
    for kind in CookieKind::ALL {
        let attributes = plain.attributes(kind);
        assert!(!attributes.secure && attributes.same_site == SameSite::Lax, "{kind:?}");
    }
    assert_eq!(plain.name(CookieKind::Refresh), "cs-refresh-3000");
}

/// B04: any other spelling of one of our names is noticed, and is not ours.
#[test]
fn b04_every_case_variant_is_noticed() {
    let policy = CookiePolicy::https(&environment("production"), 443, SameSite::Strict);
    for kind in CookieKind::ALL {
        let name = policy.name(kind).to_owned();
        for spelled in
            [name.to_ascii_lowercase(), name.to_ascii_uppercase(), name.replacen("-cs-", "-cS-", 1)]
        {
            assert_eq!(policy.kind(&spelled), None, "{spelled}");
            assert!(policy.is_case_variant(&spelled), "{spelled}");
        }
        assert!(!policy.is_case_variant(&name) && !policy.is_case_variant(&format!("{name}x")));
    }
}
