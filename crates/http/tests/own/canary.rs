//! I01, C04: unique secrets in every input of every own route, and in every error, never appear in logs at trace level, stored
//! events or metrics.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Answer, Client, Mode, PASSWORD, Request, Sender, TestSite, capture};
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::{Value, json};

use crate::{DAY, MINUTE, seconds};

const ADA: &str = "ada@example.com";

/// In every secret that the test makes up.
const MARK: &str = "kAnArIe";

/// Hands out secrets that cannot occur by chance, and remembers them.
#[derive(Default)]
struct Canaries(Vec<String>);

impl Canaries {
    fn fresh(&mut self, place: &str) -> String {
        let canary = format!("{MARK}{}{place}", self.0.len());
        self.0.push(canary.clone());
        canary
    }

    fn know(&mut self, secret: &str) {
        if secret.len() > 8 && !self.0.iter().any(|s| s == secret) {
            self.0.push(secret.to_owned());
        }
    }

    /// Everything secret that a browser holds: cookies, the parts of its tokens, the session id in each of its spellings.
    fn know_browser(&mut self, client: &Client) {
        for cookie in client.cookies() {
            self.know(&cookie.value);
        }
        if let Some(token) = client.csrf_token() {
            self.know(&token);
        }
        if let Some(access) = client.cookie(CookieKind::Access) {
            let parts: Vec<&str> = access.split('.').collect();
            self.know(parts[1]);
            self.know(parts[2]);
            let claims: Value =
                serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
            let sid = claims["sid"].as_str().unwrap();
            self.know(sid);
            let bytes = BASE64URL_NOPAD.decode(sid.as_bytes()).unwrap();
            self.know(&data_encoding::HEXLOWER.encode(&bytes));
            self.know(&format!("{bytes:?}"));
        }
    }

    fn know_answer(&mut self, answer: &Answer) {
        for cookie in answer.set_cookies() {
            self.know(&cookie.value);
        }
        if let Some(token) = answer.json()["csrf_token"].as_str() {
            self.know(token);
        }
    }
}

/// Fills every place of a request that can hold a secret.
fn load(
    request: Request,
    secrets: &mut Canaries,
    client: &Client,
    site: &TestSite,
    variant: usize,
) -> Request {
    let mut cookies: Vec<String> = CookieKind::ALL
        .into_iter()
        .map(|kind| format!("{}={}", site.cookie_name(kind), secrets.fresh("cookie")))
        .collect();
    cookies.push(format!("application_session={}", secrets.fresh("foreign")));
    let mut request = request;
    request = match variant {
        // Damaged credentials.
        0 => request.header("cookie", cookies.join("; ")).bearer(&secrets.fresh("bearer")),
        1 => request.header("cookie", cookies.join("; ")),
        // A good session, with everything else damaged.
        2 => request.with_csrf(),
        3 => request.header("x-csrf-token", secrets.fresh("csrf")),
        // Doubled cookies, and a bearer token of ours with a damaged signature.
        4 => request.header("cookie", format!("{0}; {0}", cookies.join("; "))),
        _ => {
            let access = client.cookie(CookieKind::Access).unwrap_or_default();
            let (head, _) = access.rsplit_once('.').unwrap_or(("a.b", ""));
            request.bearer(&format!("{head}.{}", secrets.fresh("signature")))
        }
    };
    for header in
        ["dpop", "countersign-forward-auth", "countersign-assertion", "x-api-key", "proxy-authorization"]
    {
        request = request.header(header, secrets.fresh("header"));
    }
    let fields = ["password", "current_password", "new_password", "code", "refresh_token", "_csrf", "token"];
    let pairs: Vec<(&str, String)> = fields.into_iter().map(|f| (f, secrets.fresh("field"))).collect();
    match variant % 3 {
        0 => {
            let mut body = json!({ "email": ADA });
            for (name, value) in &pairs {
                body[*name] = json!(value);
            }
            request.json(&body)
        }
        1 => {
            let mut form: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
            form.push(("email", ADA));
            request.form(&form)
        }
        _ => request
            .body("application/json", format!("{{\"password\": \"{}\", \"x\":", secrets.fresh("malformed"))),
    }
}

async fn every_route(site: &TestSite, client: &Client, secrets: &mut Canaries) {
    for route in countersign_http::own_routes() {
        for method in [route.method, "PUT"] {
            for variant in 0..6 {
                let query = format!(
                    "code={0}&token={0}&_csrf={0}&access_token={0}&return_to=/x%3Ft%3D{0}",
                    secrets.fresh("query")
                );
                let path = route.path.replace("{id}", "x").replace("{name}", "x");
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let sender = [Sender::OwnFetch, Sender::OwnLink, Sender::ForeignForm][variant % 3];
                let request =
                    client.request(method, &format!("{path}?{query}")).sender(sender).losing_cookies();
                let answer = load(request, secrets, client, site, variant).send().await;
                secrets.know_answer(&answer);
            }
        }
    }
}

/// A life: sign-up by mail, login, rotation, theft, password change, logout.
async fn a_life(site: &TestSite, secrets: &mut Canaries) {
    let password = secrets.fresh(" the password ");
    let client = site.client();
    client.csrf().await;
    secrets.know_browser(&client);
    client.sign_up("new@example.com", &password).await.expect_status(202);
    let code = site.outside.mailer.last_to("new@example.com").unwrap().code().unwrap().to_owned();
    secrets.know(&code);
    client.get(&format!("/auth/confirm?code={code}")).sender(Sender::ForeignLink).expect_status(200).await;
    let csrf = client.csrf().await;
    let form = [("_csrf", csrf.as_str()), ("code", &code), ("password", &password)];
    client.post("/auth/confirm").sender(Sender::OwnForm).form(&form).expect_status(200).await;
    client.log_in("new@example.com", &password).await.expect_status(200);
    secrets.know_browser(&client);
    client.log_in("new@example.com", &secrets.fresh(" wrong password ")).await.expect_status(401);
    let thief = client.copy();
    for _ in 0..3 {
        site.advance(MINUTE);
        client.csrf().await;
        client.refresh().await.expect_status(200);
        client.get("/auth/session").expect_status(200).await;
        secrets.know_browser(&client);
    }
    let changed = secrets.fresh(" another password ");
    let csrf = client.csrf().await;
    let form = [("_csrf", csrf.as_str()), ("current_password", &password), ("new_password", &changed)];
    client.post("/auth/account/password").sender(Sender::OwnForm).form(&form).expect_status(303).await;
    secrets.know_browser(&client);
    client.csrf().await;
    thief.refresh().await.expect_status(401);
    let dead = client.copy();
    client.log_out().await.expect_status(204);
    site.advance(DAY * 31);
    dead.refresh().await.expect_status(401);
    secrets.know_browser(&dead);
}

#[tokio::test]
async fn i01_c04_secrets_are_nowhere() {
    let (captured, guard) = capture();
    tracing::trace!("the capture hears this");
    let mut secrets = Canaries::default();
    secrets.know(PASSWORD);
    let site = TestSite::production()
        .policy(|p| {
            p.account_throttle.free = 100_000;
            p.account_throttle.cap = 100_000;
            p.network_throttle.free = 100_000;
        })
        .start()
        .await;
    a_life(&site, &mut secrets).await;
    let client = site.signed_in(ADA).await;
    secrets.know_browser(&client);
    every_route(&site, &client, &mut secrets).await;
    // And while everything behind fails.
    let client = site.client();
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    secrets.know_browser(&client);
    site.outside.mailer.set_failing(true);
    site.outside.hasher.set_busy(true);
    every_route(&site, &client, &mut secrets).await;
    site.outside.hasher.set_busy(false);
    site.advance(seconds(10));
    site.outside.store.set(Mode::Unavailable);
    every_route(&site, &client, &mut secrets).await;
    site.outside.store.set(Mode::Working);

    let events = format!("{:?}", site.events().await);
    let metrics = site.operator().get("/metrics").expect_status(200).await.text();
    drop(guard);
    let log = captured.text();
    for heard in ["the capture hears this", "/auth/login", "authn_login_fail", "told to fail"] {
        assert!(log.contains(heard), "{heard} is not in the log");
    }
    assert!(events.contains("wrong_password") && metrics.contains("countersign_requests_total"));
    assert!(secrets.0.len() > 2000, "{} secrets", secrets.0.len());
    // Those with the mark are searched for by it, the tokens and passwords of the site one by one.
    let marked = String::from(MARK);
    for secret in secrets.0.iter().filter(|s| !s.contains(MARK)).chain([&marked]) {
        for (place, text) in [("log", &log), ("events", &events), ("metrics", &metrics)] {
            if let Some(at) = text.find(secret.as_str()) {
                let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
                let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
                panic!("{secret} is in the {place}: {}", &text[line..end.min(line + 1000)]);
            }
        }
    }
}
