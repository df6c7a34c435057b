//! The texts that operators see.

use super::{DEVELOPMENT, HARDENED, readable, with};
use crate::config::Sources;

#[test]
fn several_problems_at_once() {
    let file = r#"
environment = "development"
[tokens]
acess_ttl = "15m"
idle_ttl = "7 days"
algorithm = "ES256"
[tokns]
[cookies]
same_site = "stict"
[[retrofit]]
"#;
    let refused = with(file, &[]).unwrap_err();
    insta::assert_snapshot!(refused, @r#"
    the configuration was refused:
      tokns (countersign.toml): unknown key
        remedy: did you mean `tokens`?
      tokens.acess_ttl (countersign.toml): unknown key
        remedy: did you mean `access_ttl`?
      tokens.algorithm (countersign.toml): unknown key
        remedy: `algorithm` belongs in [keys]
      tokens.idle_ttl = "7 days" (countersign.toml): this is not a duration
        remedy: write a number and a unit, such as "500ms", "10s", "15m", "12h" or "7d"
      cookies.same_site = "stict" (countersign.toml): this is none of "strict", "lax", "none"
        remedy: did you mean "strict"?
      retrofit[#1].login (countersign.toml): this is missing
        remedy: name the requests whose answers bring a token: login = ["POST /api/login"]
      retrofit[#1].upstream: this is missing, and there is not exactly one upstream
        remedy: add an [[upstream]] with a name and a url
    "#);
}

#[test]
fn unsafe_in_production() {
    let refused = readable(HARDENED, &[("tokens.access_ttl", "2h"), ("rotation.reuse_grace", "5m")])
        .start()
        .unwrap_err();
    insta::assert_snapshot!(refused, @r#"
    the configuration was refused:
      tokens.access_ttl = "2h": a leaked access token stays usable this long where revocation is not asked; 1h is the limit of hardened environments
        remedy: set 1h or less; 15m is the default, and front ends do not notice
      rotation.reuse_grace = "5m": outside 2s to 60s: shorter logs honest users out, longer lets a thief share a session
        remedy: set 10s, or 0s to turn replays off
    "#);
}

#[test]
fn nothing_configured() {
    insta::assert_snapshot!(with("", &[]).unwrap_err(), @r#"
    the configuration was refused:
      public_url: this is missing: origins and issuers are compared with it, so it cannot be guessed from requests
        remedy: set public_url = "https://app.example.com" in countersign.toml or COUNTERSIGN_PUBLIC_URL, or environment = "development" to try things on this machine
      tls.cert_file: this is missing: tls.mode = "files" (the default outside development) needs it
        remedy: set tls.cert_file, or tls.mode = "off" with listen.trusted_proxies behind a proxy that ends TLS
      tls.key_file: this is missing: tls.mode = "files" (the default outside development) needs it
        remedy: set tls.key_file, or tls.mode = "off" with listen.trusted_proxies behind a proxy that ends TLS
    "#);
}

#[test]
fn syntax_error() {
    let refused =
        Sources::from_text("countersign.toml", "environment = \"production\"\nstore = sqlite\n").unwrap_err();
    insta::assert_snapshot!(refused, @r#"
    the configuration was refused:
      countersign.toml:2:9: string values must be quoted, expected literal string
        remedy: write TOML 1.0: key = "value"
    "#);
}

#[test]
fn variable_as_origin() {
    let sources = Sources::from_text("countersign.toml", DEVELOPMENT).unwrap();
    let sources = sources.with_variables([("COUNTERSIGN_TOKENS__ACCESS_TTL".to_owned(), "15".to_owned())]);
    insta::assert_snapshot!(crate::config::read(&sources).unwrap_err(), @r#"
    the configuration was refused:
      tokens.access_ttl = "15" (COUNTERSIGN_TOKENS__ACCESS_TTL): this number has no unit
        remedy: write "15s" for seconds, "15m" for minutes, "15h" for hours
    "#);
}

#[test]
fn finding() {
    let checked = readable(HARDENED, &[("cookies.clear_site_data", "true")]);
    insta::assert_snapshot!(checked.findings()[0], @r#"
    warning: cookies.clear_site_data = true: logout clears the data of the whole registrable domain, sibling applications included
        remedy: keep it only if the domain is all yours
    "#);
}
