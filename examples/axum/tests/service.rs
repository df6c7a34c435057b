//! The example as its users run it: its own process, before a real Countersign.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use std::process::Stdio;
use std::time::Duration;

use countersign_adapters::SystemClock;
use countersign_core::port::Clock;
use countersign_core::service::Audience;
use countersign_testkit::{TestSite, TestUpstream};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The running service. Ends when dropped.
struct Service {
    _process: Child,
    address: String,
}

impl Service {
    async fn start(site: &TestSite, api_key: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_countersign-example-axum"))
            .env("COUNTERSIGN_URL", site.origin())
            .env("COUNTERSIGN_ENV", "development")
            .env("COUNTERSIGN_API_KEY", api_key)
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line =
            tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
        let address = line.strip_prefix("listening on http://").unwrap().to_owned();
        Self { _process: process, address }
    }

    /// Status and body.
    async fn ask(&self, method: &str, path: &str, header: Option<(&str, &str)>) -> (u16, String) {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", &self.address);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        driver.abort();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

/// K02: what the gateway sends along is enough, what anybody makes up is not; scopes and recent sign-ins are asked for.
#[tokio::test]
async fn k02_orders_service() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::development()
        .upstream(upstream.origin())
        .settings(|settings| {
            settings.upstreams[0].audience = Audience { index: 0, names: vec!["web".into(), "api".into()] }
        })
        .start()
        .await;
    // The service is a process with the real clock only.
    site.outside.clock.set(SystemClock.now());
    site.add_user("ada@example.com", &["orders:read"]).await;
    let key = site.api_key("ada@example.com", &["revocations:read"], &[]).await;
    let ada = site.client();
    ada.log_in("ada@example.com", countersign_testkit::PASSWORD).await.expect_status(200);
    ada.get("/page").expect_status(200).await;
    let assertion = upstream.last().header("countersign-assertion").unwrap();
    let user =
        ada.get("/auth/session").expect_status(200).await.json()["user"]["id"].as_str().unwrap().to_owned();

    let service = Service::start(&site, &key).await;
    let known = Some(("countersign-assertion", assertion.as_str()));
    let (status, me) = service.ask("GET", "/me", known).await;
    assert_eq!(status, 200, "{me}");
    assert!(me.contains(&user) && me.contains("orders:read") && me.contains("ada@example.com"), "{me}");
    assert_eq!(service.ask("GET", "/greeting", known).await, (200, format!("Hello, {user}!")));
    assert_eq!(service.ask("GET", "/greeting", None).await, (200, String::from("Hello!")));
    assert_eq!(service.ask("GET", "/orders", known).await.0, 200);
    let refused = [
        ("GET", "/me", None, 401, "token_missing"),
        ("GET", "/orders", None, 401, "token_missing"),
        ("POST", "/orders", known, 403, "insufficient_scope"),
        ("GET", "/greeting", Some(("authorization", "Bearer x")), 401, "token_invalid"),
        ("GET", "/me", Some(("x-auth-user", user.as_str())), 401, "token_missing"),
    ];
    for (method, path, header, status, code) in refused {
        let (got, body) = service.ask(method, path, header).await;
        assert_eq!(got, status, "{method} {path} {body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{method} {path} {body}");
    }
}
