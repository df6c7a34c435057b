//! Whoever is not the configured proxy finds nothing at `/auth/verify`: the answer is that of a path that does not exist.

use countersign_core::domain::event::EventName;
use countersign_http::ForwardingProxy;
use countersign_proxy::client_ip::Trusted;
use countersign_testkit::{Answer, Client, Sender, TestSite};
use http::Method;

use crate::proxy::SECRET;
use crate::scene::{Desk, builder};

/// All that a prober could compare, less what differs between any two answers.
fn look(answer: &Answer, path: &str) -> (u16, Vec<(String, String)>, String) {
    let id = answer.header("x-request-id").unwrap();
    let mut headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "content-security-policy"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    let body = answer.text().replace(&id, "ID").replace(path, "PATH");
    let nonce = body.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let body = nonce.map_or(body.clone(), |nonce| body.replace(&nonce, "NONCE"));
    (answer.status().as_u16(), headers, body)
}

async fn ask(browser: &Client, path: &str, method: &Method, sender: Sender, secret: Option<&str>) -> Answer {
    let mut request = browser
        .request(method.clone(), path)
        .sender(sender)
        .header("x-original-method", "GET")
        .header("x-original-uri", "/a");
    if *method == Method::OPTIONS {
        request =
            request.header("origin", "https://evil.example").header("access-control-request-method", "PUT");
    }
    if let Some(secret) = secret {
        request = request.header("countersign-forward-auth", secret);
    }
    request.send().await
}

async fn assert_hidden(site: &TestSite, secret: Option<&str>, case: &str) {
    let browser = site.client();
    for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS, Method::TRACE] {
        for sender in [Sender::Typed, Sender::OwnFetch, Sender::Bare] {
            for path in ["/auth/verify", "/auth/verify?for=client", "/auth/verify/a"] {
                let here = ask(&browser, path, &method, sender, secret).await;
                let unknown = path.replace("verify", "nobody");
                let nowhere = ask(&browser, &unknown, &method, sender, secret).await;
                assert_eq!(look(&here, path), look(&nowhere, &unknown), "{case}: {method} {path} {sender:?}");
                if method == Method::GET {
                    assert_eq!(here.status(), 404, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_the_secret() {
    let desk = Desk::new(ForwardingProxy::Nginx).await;
    let last = SECRET.len() - 1;
    let mut near = SECRET.to_owned();
    near.replace_range(last.., "x");
    for (secret, case) in [
        (None, "none"),
        (Some(""), "empty"),
        (Some(near.as_str()), "another"),
        (Some(&SECRET[..last]), "the beginning"),
        (Some(&format!("{SECRET}0")), "longer"),
        (Some(&SECRET.to_uppercase()), "upper case"),
    ] {
        assert_hidden(&desk.site, secret, case).await;
    }
    desk.site
        .client()
        .get("/auth/verify")
        .header("countersign-forward-auth", SECRET)
        .expect_status(400)
        .await;
}

#[tokio::test]
async fn with_the_secret_twice() {
    let desk = Desk::new(ForwardingProxy::Nginx).await;
    let browser = desk.site.client();
    let twice = desk.ask(&browser, "GET", "/open/a").header("countersign-forward-auth", SECRET);
    twice.expect(404, "not_found").await;
    desk.ask(&browser, "GET", "/open/a").expect_status(200).await;
}

/// K05: the secret alone is not enough.
#[tokio::test]
async fn k05_from_a_peer_that_is_not_trusted() {
    let elsewhere = Trusted::Nets(vec!["192.0.2.0/24".parse().unwrap()]);
    // With TLS of its own, so that strangers get as far as to the paths.
    let site = builder(ForwardingProxy::Nginx).tls().settings(move |s| s.trusted = elsewhere).start().await;
    assert_hidden(&site, Some(SECRET), "stranger").await;
}

#[tokio::test]
async fn without_configuration() {
    let site = builder(ForwardingProxy::Nginx).settings(|s| s.forward_auth = None).start().await;
    assert_hidden(&site, Some(SECRET), "not configured").await;
}

/// Envoy asks below the path, the others at it.
#[tokio::test]
async fn at_the_path_of_another_proxy() {
    let desk = Desk::new(ForwardingProxy::Nginx).await;
    let at = |path: &str| desk.site.client().get(path).header("countersign-forward-auth", SECRET);
    at("/auth/verify/open/a").expect(404, "not_found").await;
    at("/auth/verifyx").expect(404, "not_found").await;
    let envoy = Desk::new(ForwardingProxy::Envoy).await;
    let at = |path: &str| envoy.site.client().get(path).header("countersign-forward-auth", SECRET);
    at("/auth/verify").expect(404, "not_found").await;
    at("/auth/verify/open/a").expect_status(200).await;
}

/// An operator whose two configurations differ finds out; a browser that comes by does not fill the events.
#[tokio::test]
async fn a_wrong_secret_is_an_event() {
    let desk = Desk::new(ForwardingProxy::Nginx).await;
    let browser = desk.site.client();
    browser.get("/auth/verify").expect_status(404).await;
    assert!(!desk.site.event_names().await.contains(&EventName::InputValidationFail));
    browser.get("/auth/verify").header("countersign-forward-auth", "guess").expect_status(404).await;
    let events = desk.site.events().await;
    let event = events.iter().find(|e| e.name == EventName::InputValidationFail).unwrap();
    assert_eq!(&*event.reason, "forward_auth_secret");
}
