//! `[forward_auth]`: both keys or none, and a proxy that could really ask.

use super::{DEVELOPMENT, about, faults, readable};
use crate::config::{ForwardingProxy, Level};

const BEHIND: &str = r#"
public_url = "https://app.example.com"
[tls]
mode = "off"
[listen]
trusted_proxies = ["127.0.0.1"]
[forward_auth]
secret_file = "forward-auth.secret"
"#;

#[test]
fn each_proxy_is_known_by_name() {
    for (word, proxy) in [
        ("nginx", ForwardingProxy::Nginx),
        ("caddy", ForwardingProxy::Caddy),
        ("haproxy", ForwardingProxy::Haproxy),
        ("traefik", ForwardingProxy::Traefik),
        ("envoy", ForwardingProxy::Envoy),
    ] {
        let checked = readable(BEHIND, &[("forward_auth.proxy", word)]);
        let forward_auth = checked.inspect().forward_auth.as_ref().unwrap();
        assert_eq!(
            (forward_auth.proxy, forward_auth.secret_file.to_str()),
            (proxy, Some("forward-auth.secret"))
        );
        assert!(about(&checked, "forward_auth.proxy").is_empty() && !checked.is_unsafe());
    }
    assert!(readable(DEVELOPMENT, &[]).inspect().forward_auth.is_none());
    assert_eq!(faults(BEHIND, &[("forward_auth.proxy", "apache")]), ["forward_auth.proxy"]);
}

#[test]
fn both_keys_are_needed() {
    assert_eq!(faults(BEHIND, &[]), ["forward_auth.proxy"]);
    assert_eq!(faults(DEVELOPMENT, &[("forward_auth.proxy", "nginx")]), ["forward_auth.secret_file"]);
}

/// K05: a proxy that nobody trusts could not ask, and in development no proxy can.
#[test]
fn k05_a_proxy_that_cannot_ask_is_refused() {
    let nginx = ("forward_auth.proxy", "nginx");
    for (file, values) in [
        (BEHIND, vec![nginx, ("listen.trusted_proxies", "")]),
        (
            DEVELOPMENT,
            vec![nginx, ("forward_auth.secret_file", "s"), ("listen.trusted_proxies", "127.0.0.1")],
        ),
    ] {
        let checked = readable(file, &values);
        let found = about(&checked, "forward_auth.proxy");
        assert!(found.iter().any(|f| f.level == Level::Unsafe && f.everywhere), "{found:?}");
    }
}

#[test]
fn what_is_weaker_than_it_looks_is_said() {
    let routes = format!(
        "{BEHIND}[[upstream]]\nname = \"app\"\nurl = \"http://127.0.0.1:3000\"\n\
         [[route]]\npath = \"/form\"\ncsrf = \"token\"\n[cors]\nallowed_origins = [\"https://b.example.com\"]"
    );
    let nginx = ("forward_auth.proxy", "nginx");
    let checked = readable(&routes, &[nginx, ("listen.trusted_proxies", "private")]);
    for key in ["route[/form].csrf", "cors.allowed_origins", "forward_auth.proxy"] {
        assert!(about(&checked, key).iter().any(|f| f.level == Level::Note), "{key}");
    }
}
