//! Applications with a login of their own, and sites in front of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign_core::domain::event::EventName;
use countersign_core::domain::retrofit::{
    BODY_LIMIT, Injection, PLACEHOLDER_CLAIMS, Pointer, RefreshCall, RequestLine, Retrofit, TokenLocation,
};
use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_http::SiteRetrofit;
use countersign_testkit::{Answer, Builder, Client, Seen, TestSite, TestUpstream};
use data_encoding::BASE64URL_NOPAD;
use http::Response;
use serde_json::{Value, json};

/// The rules of an application that answers `{"token": …}`.
pub(crate) fn rules(token: &str) -> Retrofit {
    let line = |text| RequestLine::parse(text).unwrap();
    let token = TokenLocation::parse(token).unwrap();
    Retrofit {
        login: vec![line("POST /api/login"), line("POST /api/signup"), line("POST /login")],
        logout: vec![line("POST /api/logout")],
        inject: Injection::default_for(&token),
        token,
        subject: None,
        placeholder_claims: PLACEHOLDER_CLAIMS.map(Into::into).to_vec(),
        refresh: None,
        end_on_401: false,
        body_limit: BODY_LIMIT,
    }
}

/// The same with a refresh call that takes a refresh token.
pub(crate) fn with_refresh(token: &str) -> Retrofit {
    let place = |text| TokenLocation::parse(text).unwrap();
    Retrofit {
        refresh: Some(RefreshCall {
            request: RequestLine::parse("POST /api/refresh").unwrap(),
            token: Some(place("json:/refresh_token")),
            send: Some(place("json:/refresh_token")),
            answer: place(token),
        }),
        ..rules(token)
    }
}

pub(crate) fn subject(rules: Retrofit) -> Retrofit {
    Retrofit { subject: Some(Pointer::parse("/sub").unwrap()), ..rules }
}

/// What an application answers.
pub(crate) type Said = Response<Bytes>;

pub(crate) fn said(status: u16, body: &Value) -> Said {
    let answer = Response::builder().status(status).header("content-type", "application/json");
    answer.body(body.to_string().into()).unwrap()
}

/// A JWT of the application's own.
pub(crate) fn jwt(claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signature = BASE64URL_NOPAD.encode(format!("signature of {claims}").as_bytes());
    format!("{}.{}.{signature}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims))
}

/// The application of most tests: JWTs in JSON, refresh tokens that work once, both forgotten when the test says so.
#[derive(Default)]
pub(crate) struct App {
    next: AtomicU64,
    /// Tokens that work, and whose they are.
    pub(crate) good: Mutex<HashMap<String, String>>,
    /// Refresh tokens that work.
    pub(crate) refresh: Mutex<HashMap<String, String>>,
    /// `exp` of the next tokens.
    pub(crate) expires: Mutex<Option<i64>>,
    pub(crate) refreshed: AtomicU64,
}

impl App {
    fn token(&self, user: &str) -> String {
        let mut claims = json!({"sub": user, "name": "Ada", "jti": self.next.fetch_add(1, Ordering::SeqCst)});
        if let Some(exp) = *self.expires.lock().unwrap() {
            claims["exp"] = exp.into();
        }
        let token = jwt(&claims);
        self.good.lock().unwrap().insert(token.clone(), user.to_owned());
        token
    }

    fn pair(&self, user: &str) -> Value {
        let refresh = format!("refresh-{}-of-{user}", self.next.fetch_add(1, Ordering::SeqCst));
        self.refresh.lock().unwrap().insert(refresh.clone(), user.to_owned());
        json!({"token": self.token(user), "refresh_token": refresh, "user": {"name": "Ada", "n": 12_345_678_901_234_567_890_u64}})
    }

    /// The application forgets all tokens: as if they had been revoked.
    pub(crate) fn forget_tokens(&self) {
        self.good.lock().unwrap().clear();
    }

    pub(crate) fn answer(&self, seen: &Seen, body: &Bytes) -> Said {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let path = seen.target.split('?').next().unwrap_or_default().to_lowercase();
        match (seen.method.as_str(), path.trim_end_matches('/')) {
            ("POST", "/api/login" | "/api/signup") => match body["user"].as_str() {
                Some(user) => said(200, &self.pair(user)),
                None => said(401, &json!({"error": "wrong password"})),
            },
            ("POST", "/api/refresh") => {
                self.refreshed.fetch_add(1, Ordering::SeqCst);
                let sent = body["refresh_token"].as_str().unwrap_or_default();
                // Works once.
                let known = self.refresh.lock().unwrap().remove(sent);
                let Some(user) = known else {
                    return said(401, &json!({"error": "no such refresh token"}));
                };
                let next = format!("{sent}+");
                self.refresh.lock().unwrap().insert(next.clone(), user.clone());
                said(200, &json!({"token": self.token(&user), "refresh_token": next}))
            }
            ("POST", "/api/logout") => said(200, &json!({"bye": true})),
            (_, "/api/leak") => said(200, &json!({"session": jwt(&json!({"sub": "leaked"}))})),
            _ => {
                let sent = seen.header("authorization").unwrap_or_default();
                let token = sent.strip_prefix("Bearer ").unwrap_or_default();
                match self.good.lock().unwrap().get(token) {
                    Some(user) => said(200, &json!({"me": user})),
                    None => said(401, &json!({"error": "please log in"})),
                }
            }
        }
    }
}

/// A site, the application behind it, and what the application knows.
pub(crate) struct Scene {
    pub(crate) site: TestSite,
    pub(crate) upstream: TestUpstream,
    pub(crate) app: Arc<App>,
}

impl Scene {
    pub(crate) async fn new(rules: Retrofit) -> Self {
        Self::with(rules, |builder| builder).await
    }

    pub(crate) async fn with(rules: Retrofit, change: impl FnOnce(Builder) -> Builder) -> Self {
        let app = Arc::new(App::default());
        let behind = Arc::clone(&app);
        let upstream = TestUpstream::app(move |seen, body| behind.answer(seen, body)).await;
        let site = change(before(&upstream, rules)).start().await;
        Self { site, upstream, app }
    }

    /// A browser that signed in at the application.
    pub(crate) async fn browser(&self) -> Client {
        let client = self.site.client();
        self.log_in(&client, "7").await.expect_status(200);
        client
    }

    pub(crate) async fn log_in(&self, client: &Client, user: &str) -> Answer {
        client.post("/api/login").json(&json!({"user": user})).send().await
    }

    /// The only token that works.
    pub(crate) fn token(&self) -> String {
        let good = self.app.good.lock().unwrap();
        assert_eq!(good.len(), 1);
        good.keys().next().unwrap().clone()
    }

    pub(crate) async fn has_event(&self, name: EventName, reason: &str) -> bool {
        self.site.events().await.iter().any(|event| event.name == name && *event.reason == *reason)
    }
}

/// A site before an application: everything optional, as the configuration makes it, and one route that asks for a session.
pub(crate) fn before(upstream: &TestUpstream, rules: Retrofit) -> Builder {
    let optional = RouteRule { auth: RouteAuth::Optional, ..RouteRule::protected(0) };
    let mut builder = TestSite::production()
        .upstream(upstream.origin())
        .upstream(upstream.origin())
        .route("/*", optional.clone())
        .route("/required/*", RouteRule::protected(0))
        .route("/open/*", RouteRule { auth: RouteAuth::None, ..RouteRule::protected(0) })
        .route("/other/*", RouteRule { auth: RouteAuth::Optional, ..RouteRule::protected(1) });
    let tokens = RouteRule { tokens: true, bounce: false, ..optional };
    for line in rules.lines() {
        builder = builder.route(line.path(), tokens.clone());
    }
    builder.settings(move |settings| {
        settings.upstreams[0].retrofit = Some(Box::new(SiteRetrofit::new(rules).unwrap()));
    })
}

/// Every header and body that a browser was given.
pub(crate) fn everything(answer: &Answer) -> String {
    format!("{:?} {}", answer.headers(), answer.text())
}
