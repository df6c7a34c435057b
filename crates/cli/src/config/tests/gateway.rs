//! Upstreams and routes.

use super::{DEVELOPMENT, HARDENED, about, faults, readable};
use crate::config::{Auth, Cors, Csrf, Level, PathPattern};
use std::time::Duration;

const APP: &str = "[[upstream]]\nname = \"app\"\nurl = \"http://127.0.0.1:3000\"\n";

fn routed(route: &str) -> String {
    format!("{DEVELOPMENT}{APP}[[route]]\n{route}\n")
}

/// The example of design §9, as printed there, without the section of a later version.
#[test]
fn the_design_example_starts() {
    let file = r#"
environment = "production"
public_url = "https://app.example.com"
store = "sqlite:countersign.db"
[listen]
address = "0.0.0.0:443"
admin = "127.0.0.1:9443"
trusted_proxies = []
client_ip_header = "x-forwarded-for"
[tls]
mode = "files"
cert_file = "cert.pem"
key_file = "key.pem"
[tokens]
access_ttl = "15m"
idle_ttl = "7d"
absolute_ttl = "30d"
audience = ["app"]
[rotation]
reuse_grace = "10s"
[accounts]
signup = "off"
login_url = "/auth/login"
[[upstream]]
name = "app"
url = "http://127.0.0.1:3000"
csrf = "origin"
identity_headers = { user = "X-Remote-User" }
[[route]]
path = "/assets/*"
auth = "none"
[[route]]
path = "/api/admin/*"
upstream = "app"
scope = ["admin"]
max_auth_age = "10m"
csrf = "token"
"#;
    let (settings, findings) = readable(file, &[]).start().unwrap();
    assert!(findings.iter().all(|finding| finding.level == Level::Note), "{findings:?}");
    let paths: Vec<_> = settings.routes.iter().map(|route| route.path.to_string()).collect();
    assert_eq!(paths, ["/api/admin/*", "/assets/*", "/*"]);
    let [admin, assets, rest] = settings.routes.as_slice() else { panic!("three routes") };
    assert_eq!((admin.auth, admin.csrf, admin.bounce), (Auth::Required, Csrf::Token, false));
    assert_eq!(admin.max_auth_age, Some(Duration::from_secs(600)));
    assert_eq!((assets.auth, assets.csrf, assets.bounce), (Auth::None, Csrf::Origin, false));
    assert_eq!(
        (rest.auth, rest.csrf, rest.cors, rest.bounce),
        (Auth::Required, Csrf::Origin, Cors::Countersign, true)
    );
    assert_eq!(settings.upstreams[0].identity_headers.user.as_deref(), Some("x-remote-user"));
}

/// Rules about one route: its text, the key that is judged, whether every start is refused.
#[test]
fn route_rules() {
    for (route, key, level, everywhere) in [
        ("path = \"/x\"\ncsrf = \"off\"", "route[/x].csrf", Level::Unsafe, true),
        ("path = \"/x\"\ncsrf = \"off\"\nauth = \"optional\"", "route[/x].csrf", Level::Unsafe, true),
        ("path = \"/x\"\ncsrf = \"token\"\nauth = \"none\"", "route[/x].csrf", Level::Unsafe, true),
        ("path = \"/x/*\"\ncsrf = \"off\"\nauth = \"none\"", "route[/x/*].csrf", Level::Warning, false),
        ("path = \"/x\"\nscope = [\"a\"]\nauth = \"none\"", "route[/x].scope", Level::Unsafe, true),
        ("path = \"/x\"\nscope = [\"a\"]\nauth = \"optional\"", "route[/x].scope", Level::Unsafe, true),
        (
            "path = \"/x\"\nmax_auth_age = \"1m\"\nauth = \"none\"",
            "route[/x].max_auth_age",
            Level::Unsafe,
            true,
        ),
        ("path = \"/x\"\nmax_auth_age = \"0s\"", "route[/x].max_auth_age", Level::Unsafe, true),
        ("path = \"/x\"\nmax_auth_age = \"31d\"", "route[/x].max_auth_age", Level::Note, false),
        ("path = \"/x\"\nbounce = true\nauth = \"none\"", "route[/x].bounce", Level::Warning, false),
        ("path = \"/api/*\"\nbounce = true", "route[/api/*].bounce", Level::Note, false),
        ("path = \"/*\"\nauth = \"none\"", "route[/*].auth", Level::Warning, false),
    ] {
        let checked = readable(&routed(route), &[]);
        let found = about(&checked, key);
        assert_eq!(found.len(), 1, "{route}: {:?}", checked.findings());
        assert_eq!((found[0].level, found[0].everywhere), (level, everywhere), "{route}");
        assert_eq!(checked.start().is_err(), everywhere, "{route}");
    }
    for route in [
        "path = \"/hook\"\ncsrf = \"off\"\nauth = \"none\"",
        "path = \"/x\"\nscope = [\"a\"]\nmax_auth_age = \"1m\"\ncsrf = \"token\"",
        "path = \"/x\"\nauth = \"optional\"",
    ] {
        let checked = readable(&routed(route), &[]);
        assert!(
            checked.findings().iter().all(|finding| finding.level == Level::Note),
            "{:?}",
            checked.findings()
        );
    }
}

/// C07: only paths that normalisation leaves alone can be routed.
#[test]
fn route_paths() {
    for path in [
        "/",
        "/*",
        "/a",
        "/a/",
        "/a/*",
        "/a-b/c_d.html",
        "/caf%C3%A9",
        "/a%20b",
        "/authors",
        "/.well-known/acme/*",
    ] {
        assert_eq!(
            readable(&routed(&format!("path = \"{path}\"")), &[])
                .inspect()
                .routes
                .iter()
                .filter(|route| route.path.to_string() == path)
                .count(),
            1,
            "{path}"
        );
    }
    for path in [
        "",
        "a",
        "*",
        "/a*",
        "/*/b",
        "//a",
        "/a//b",
        "/a/../b",
        "/a/.",
        "/./*",
        "/a?b",
        "/a#b",
        "/a;b",
        "/a\\\\b",
        "/a b",
        "/é",
        "/%2e/a",
        "/%2E/a",
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a%3Bb",
        "/%61",
        "/%c3%a9",
        "/a%",
        "/a%4",
        "/a%zz",
        "/a%00",
        "/auth",
        "/auth/*",
        "/auth/login",
        "/.well-known/jwks.json",
        "/.well-known/countersign",
    ] {
        let key = faults(&routed(&format!("path = \"{path}\"")), &[]);
        assert!(key.len() == 1 && key[0].ends_with(".path"), "{path}: {key:?}");
    }
}

#[test]
fn patterns_match_and_rank() {
    let exact = PathPattern::Exact("/api/x".into());
    let prefix = PathPattern::Prefix("/api/".into());
    assert!(exact.matches("/api/x") && !exact.matches("/api/x/") && !exact.matches("/api"));
    assert!(
        prefix.matches("/api/")
            && prefix.matches("/api/x/y")
            && !prefix.matches("/api")
            && !prefix.matches("/apix")
    );
    assert!(exact.specificity() > prefix.specificity());
    assert!(prefix.specificity() > PathPattern::Prefix("/".into()).specificity());
}

#[test]
fn names_must_resolve() {
    let two = format!("{DEVELOPMENT}{APP}{}", APP.replace("app", "api"));
    for (file, key) in [
        (routed("path = \"/x\"\nupstream = \"ap\""), "route[/x].upstream"),
        (routed("auth = \"none\""), "route[#1].path"),
        (routed("path = \"/x\"\n[[route]]\npath = \"/x\""), "route[/x].path"),
        (format!("{DEVELOPMENT}[[route]]\npath = \"/x\""), "route[/x].upstream"),
        (format!("{two}[[route]]\npath = \"/x\""), "route[/x].upstream"),
        (format!("{DEVELOPMENT}{APP}{APP}"), "upstream[app].name"),
        (format!("{DEVELOPMENT}{APP}forwards_to = [\"api\"]"), "upstream[app].forwards_to"),
        (format!("{DEVELOPMENT}{APP}forwards_to = [\"app\"]"), "upstream[app].forwards_to"),
        (format!("{DEVELOPMENT}{APP}max_connections = 0"), "upstream[app].max_connections"),
        (format!("{DEVELOPMENT}{APP}csrf = \"off\""), "upstream[app].csrf"),
        (format!("{DEVELOPMENT}[[upstream]]\nurl = \"http://127.0.0.1:3000\""), "upstream[#1].name"),
        (format!("{DEVELOPMENT}[[upstream]]\nname = \"app\""), "upstream[app].url"),
        (format!("{DEVELOPMENT}{}", APP.replace("http:", "https:")), "upstream[app].url"),
        (format!("{DEVELOPMENT}{}", APP.replace("3000", "3000/base")), "upstream[app].url"),
        (format!("{DEVELOPMENT}{}", APP.replace("\"app\"", "\"App One\"")), "upstream[App One].name"),
    ] {
        assert_eq!(faults(&file, &[]), [key], "{file}");
    }
    let forwards = readable(&format!("{two}forwards_to = [\"app\"]"), &[]);
    assert_eq!(forwards.inspect().upstreams[1].forwards_to, ["app"]);
    assert_eq!(about(&forwards, "route").len(), 1, "paths without a route are pointed out");
}

/// K01: an identity header must not be one that means something else, in either spelling.
#[test]
fn identity_headers() {
    for table in [
        "{ user = \"Host\" }",
        "{ user = \"Cookie\" }",
        "{ user = \"x_forwarded_for\" }",
        "{ user = \"X Y\" }",
        "{ user = \"X-A\", email = \"x_a\" }",
        "{ usr = \"X-A\" }",
        "\"X-A\"",
        "{ user = \"Sec-Fetch-Site\" }",
        "{ user = \"Countersign-Assertion\" }",
    ] {
        let file = format!("{DEVELOPMENT}{APP}identity_headers = {table}");
        assert_eq!(faults(&file, &[]), ["upstream[app].identity_headers"], "{table}");
    }
    let file = format!(
        "{DEVELOPMENT}{APP}identity_headers = {{ user = \"Remote-User\", email = \"X-Forwarded-Email\" }}"
    );
    let names = readable(&file, &[]).inspect().upstreams[0].identity_headers.clone();
    assert_eq!(
        (names.user.as_deref(), names.email.as_deref()),
        (Some("remote-user"), Some("x-forwarded-email"))
    );
}

/// Ours is at one path; what else lies under `/auth` sends browsers back, or is not there.
#[test]
fn login_pages_of_ours() {
    for (page, refused) in [
        ("/auth/login", false),
        ("/auth/login?from=gate", false),
        ("/auth/account", true),
        ("/auth/nothing", true),
    ] {
        let checked = readable(DEVELOPMENT, &[("accounts.login_url", page)]);
        assert_eq!(!about(&checked, "accounts.login_url").is_empty(), refused, "{page}");
    }
}

/// A login page of the application's must be reachable without a login.
#[test]
fn login_pages() {
    let login = [("accounts.login_url", "/sign-in?from=gate")];
    for (file, refused) in [
        (routed("path = \"/x\""), true),
        (routed("path = \"/sign-in\"\nauth = \"none\""), false),
        (routed("path = \"/*\"\nauth = \"optional\""), false),
        (DEVELOPMENT.to_owned(), true),
    ] {
        let checked = readable(&file, &login);
        assert_eq!(!about(&checked, "accounts.login_url").is_empty(), refused, "{file}");
        assert_eq!(checked.start().is_err(), refused, "{file}");
    }
}

#[test]
fn ways_to_upstreams() {
    for (url, listen, level) in [
        ("http://127.0.0.1:8443", "127.0.0.1:8443", Some((Level::Unsafe, true))),
        ("http://localhost:8443", "127.0.0.1:8443", Some((Level::Unsafe, true))),
        ("http://127.0.0.1:8443", "0.0.0.0:8443", Some((Level::Unsafe, true))),
        ("http://127.0.0.1:3000", "127.0.0.1:8443", None),
        ("http://10.0.0.5:8443", "127.0.0.1:8443", None),
        ("http://app:3000", "127.0.0.1:8443", None),
        ("http://198.51.100.7:80", "127.0.0.1:8443", Some((Level::Warning, false))),
    ] {
        let file = format!("{HARDENED}{}", APP.replace("http://127.0.0.1:3000", url));
        let checked = readable(&file, &[("listen.address", listen)]);
        let found = about(&checked, "upstream[app].url");
        assert_eq!(found.first().map(|finding| (finding.level, finding.everywhere)), level, "{url}");
    }
}

/// Time-outs are inherited from `[limits]`, then from the upstream.
#[test]
fn time_outs_are_inherited() {
    let file = format!(
        "{DEVELOPMENT}[limits]\nfirst_byte = \"90s\"\n{APP}between_bytes = \"30s\"\n[[route]]\npath = \"/slow\"\nfirst_byte = \"none\"\n"
    );
    let checked = readable(&file, &[]);
    let slow = &checked.inspect().routes[0];
    assert_eq!((slow.first_byte, slow.between_bytes), (None, Some(Duration::from_secs(30))));
    let rest = &checked.inspect().routes[1];
    assert_eq!(
        (rest.first_byte, rest.between_bytes),
        (Some(Duration::from_secs(90)), Some(Duration::from_secs(30)))
    );
}

/// C01: a route takes its upstream's check, except where there is no session that a token could belong to.
#[test]
fn csrf_is_inherited() {
    let routes =
        "[[route]]\npath = \"/public\"\nauth = \"none\"\n[[route]]\npath = \"/own\"\ncsrf = \"origin\"\n";
    let checked = readable(&format!("{DEVELOPMENT}{APP}csrf = \"token\"\n{routes}"), &[]);
    let checks: Vec<_> =
        checked.inspect().routes.iter().map(|route| (route.path.to_string(), route.csrf)).collect();
    let expected = [("/public", Csrf::Origin), ("/own", Csrf::Origin), ("/*", Csrf::Token)];
    assert_eq!(checks, expected.map(|(path, csrf)| (path.to_owned(), csrf)));
    assert!(checked.start().is_ok());
}
