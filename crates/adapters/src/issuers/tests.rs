//! An issuer on loopback that answers well or badly, and how often it was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::generate_simple_self_signed;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const ISSUER: &str = "https://login.example.com";
const ONE: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}]}"#;

/// Nothing is fetched a second time by itself, and nothing grows old.
const SELDOM: Times = Times { refresh: HOUR, cooldown: HOUR, start_pause: HOUR, max_age: HOUR };
/// Everything is fetched whenever somebody asks.
const OFTEN: Times = Times { cooldown: Duration::ZERO, start_pause: Duration::ZERO, ..SELDOM };

fn two() -> String {
    ONE.replace("\"one\"", "\"two\"")
}

fn good(body: &str) -> Vec<u8> {
    with("200 OK", "content-type: application/jwk-set+json; charset=utf-8\r\n", body)
}

fn with(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// The other issuer. Its task ends with the test's runtime.
struct Remote {
    url: String,
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<Vec<u8>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Remote {
    async fn start(answer: Vec<u8>) -> Self {
        Self::over(answer, None).await
    }

    async fn over(answer: Vec<u8>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}/keys?v=1", listener.local_addr().unwrap().port());
        let remote =
            Self { url, asked: Arc::default(), answer: Arc::new(Mutex::new(answer)), heads: Arc::default() };
        let (asked, answer, heads) =
            (Arc::clone(&remote.asked), Arc::clone(&remote.answer), Arc::clone(&remote.heads));
        tokio::spawn(async move {
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                asked.fetch_add(1, Ordering::SeqCst);
                let (answer, heads, tls) = (answer.lock().unwrap().clone(), Arc::clone(&heads), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, &answer, &heads).await,
                        Some(tls) => {
                            // A client that does not trust the certificate hangs up.
                            if let Ok(stream) = tls.accept(stream).await {
                                converse(stream, &answer, &heads).await;
                            }
                        }
                    }
                });
            }
        });
        remote
    }

    fn answers(&self, answer: Vec<u8>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn sources(&self, times: Times) -> IssuerKeySources {
        let source = Source::Url(JwksUrl::parse(&self.url).unwrap());
        IssuerKeySources::timed([(ISSUER, source)], times).unwrap()
    }
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &[u8],
    heads: &Mutex<Vec<String>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
    // Clients that hang up are part of tests.
    drop(stream.write_all(answer).await);
    drop(stream.flush().await);
    // Held open: a client that waits for more has to give up by itself.
    tokio::time::sleep(HOUR).await;
}

fn kids(sources: &IssuerKeySources) -> Vec<String> {
    sources.0[0].keys().keys().map(ToString::to_string).collect()
}

/// H08: an unknown key is looked for once, for all who wait; and what was tried a moment ago is not tried again.
#[tokio::test]
async fn h08_one_fetch_for_all() {
    let remote = Remote::start(good(ONE)).await;
    let sources = Arc::new(remote.sources(SELDOM));
    assert!(sources.trusted().lacks_keys(ISSUER), "trusted, and nothing is known of it yet");
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let sources = Arc::clone(&sources);
        all.spawn(async move { sources.look_again(ISSUER).await });
    }
    while let Some(found) = all.join_next().await {
        assert!(!found.unwrap().lacks_keys(ISSUER));
    }
    assert_eq!((remote.asked(), kids(&sources)), (1, vec![String::from("one")]));
    remote.answers(good(&two()));
    for n in 0..10_000 {
        // Whoever is not trusted causes nothing at all.
        sources.look_again(if n % 2 == 0 { ISSUER } else { "https://evil.example.com" }).await;
    }
    assert_eq!((remote.asked(), kids(&sources)), (1, vec![String::from("one")]));
    let head = remote.heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(
        head.starts_with("get /keys?v=1 http/1.1\r\n") && head.contains("accept: application/jwk-set+json")
    );
    assert!(!head.contains("authorization") && !head.contains("cookie"), "{head}");
}

/// H08: those who waited for an issuer that gives nothing do not try it one after the other.
#[tokio::test]
async fn h08_a_failed_fetch_is_shared_too() {
    let remote = Remote::start(with("500 Internal Server Error", "", "")).await;
    let sources = Arc::new(remote.sources(SELDOM));
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let sources = Arc::clone(&sources);
        all.spawn(async move { sources.look_again(ISSUER).await });
    }
    while let Some(found) = all.join_next().await {
        assert!(found.unwrap().lacks_keys(ISSUER));
    }
    assert_eq!(remote.asked(), 1);
}

/// H08: keys that an issuer took back go with the next fetch; while it is away those from before stay, and not for ever.
#[tokio::test]
async fn h08_rotation_and_outage() {
    let remote = Remote::start(good(ONE)).await;
    let sources = remote.sources(OFTEN);
    sources.look_again(ISSUER).await;
    remote.answers(good(&two()));
    sources.look_again(ISSUER).await;
    assert_eq!(kids(&sources), ["two"]);
    remote.answers(with("503 Service Unavailable", "", ""));
    sources.look_again(ISSUER).await;
    assert_eq!(kids(&sources), ["two"]);
    let troubles = sources.troubles();
    assert!(troubles[0].has_keys && troubles[0].what.contains("503"), "{troubles:?}");
    remote.answers(good(ONE));
    sources.look_again(ISSUER).await;
    assert_eq!((kids(&sources), sources.troubles()), (vec![String::from("one")], vec![]));

    let short = remote.sources(Times { max_age: Duration::from_millis(50), ..SELDOM });
    short.look_again(ISSUER).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(short.trusted().lacks_keys(ISSUER), "too old");
}

/// H08: without any request too: at the start, and again on a schedule.
#[tokio::test]
async fn h08_on_a_schedule() {
    let remote = Remote::start(good(ONE)).await;
    let sources = remote.sources(Times { refresh: Duration::from_millis(20), ..OFTEN });
    let following = sources.follow();
    while kids(&sources).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    remote.answers(good(&two()));
    while kids(&sources) != ["two"] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(following);
}

/// H09, A18: redirects, other types, long, endless, missing and dangerous answers are no keys.
#[tokio::test]
async fn h09_what_is_not_taken_for_keys() {
    let evil = Remote::start(good(ONE)).await;
    let json = "content-type: application/json\r\n";
    let secret = ONE.replace("\"x\"", "\"d\":\"AAAA\",\"x\"");
    let many: Vec<String> = (0..=64).map(|n| format!(r#"{{"kty":"RSA","kid":"{n}"}}"#)).collect();
    let answers = [
        with("302 Found", &format!("location: {}\r\n{json}", evil.url), ONE),
        with("203 Non-Authoritative Information", json, ONE),
        with("200 OK", "content-type: text/html\r\n", ONE),
        with("200 OK", "", ONE),
        good(&(ONE.to_owned() + &" ".repeat(64 * 1024))),
        good(&format!(r#"{{"keys":[{}]}}"#, many.join(","))),
        good(&secret),
        good("{}"),
        // A body that never ends, and a head that never does.
        format!("HTTP/1.1 200 OK\r\n{json}content-length: 9000\r\n\r\n{ONE}").into_bytes(),
        b"HTTP/1.1 200".to_vec(),
        [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"x: y\r\n".repeat(10_000)].concat(),
        Vec::new(),
    ];
    let mut all = JoinSet::new();
    for answer in answers {
        all.spawn(async move {
            let shown = String::from_utf8_lossy(&answer).chars().take(120).collect::<String>();
            let remote = Remote::start(answer).await;
            let sources = remote.sources(SELDOM);
            sources.read_all().await;
            assert!(sources.trusted().lacks_keys(ISSUER), "{shown}");
            let troubles = sources.troubles();
            assert!(troubles.len() == 1 && !troubles[0].has_keys, "{shown}");
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    assert_eq!(evil.asked(), 0, "nothing was followed");
}

/// H09: TLS, and only from somebody whose certificate is trusted for that host.
#[tokio::test]
async fn h09_certificates() {
    let pair = |name: &str| {
        let made = generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let der = made.cert.der().clone();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], key)
            .unwrap();
        (TlsAcceptor::from(Arc::new(config)), der)
    };
    let trusting = |certificate: CertificateDer<'static>| {
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    };
    let (acceptor, certificate) = pair("localhost");
    let remote = Remote::over(good(ONE), Some(acceptor)).await;
    let url = JwksUrl::parse(&remote.url).unwrap();
    let found = fetch::fetch(&url, Some(&trusting(certificate))).await.unwrap();
    assert!(found.contains_key("one"));
    let (_, stranger) = pair("localhost");
    assert!(matches!(fetch::fetch(&url, Some(&trusting(stranger))).await, Err(fetch::FetchError::Tls(_))));
    let (other, certificate) = pair("other.example.com");
    let remote = Remote::over(good(ONE), Some(other)).await;
    let url = JwksUrl::parse(&remote.url).unwrap();
    assert!(matches!(fetch::fetch(&url, Some(&trusting(certificate))).await, Err(fetch::FetchError::Tls(_))));
    assert!(fetch::fetch(&url, None).await.is_err(), "https is never asked in the clear");
    assert!(remote.heads.lock().unwrap().is_empty());
}

/// A04, A18: files: what must not be used is refused by name, and later changes nothing.
#[tokio::test]
async fn a04_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks.json");
    let sources = IssuerKeySources::new([(ISSUER, Source::File(path.clone()))]).unwrap();
    for bad in ["", "{}", &ONE.replace("\"x\"", "\"d\":\"AAAA\",\"x\""), &" ".repeat(64 * 1024 + 1)] {
        std::fs::write(&path, bad).unwrap();
        let error = sources.read_files().unwrap_err().to_string();
        assert!(error.contains("jwks.json"), "{error}");
    }
    std::fs::write(&path, ONE).unwrap();
    sources.read_files().unwrap();
    std::fs::write(&path, ONE.split_at(20).0).unwrap();
    sources.read_all().await;
    assert_eq!(kids(&sources), ["one"]);
    assert!(sources.troubles()[0].has_keys);
    std::fs::write(&path, two()).unwrap();
    sources.read_all().await;
    assert_eq!((kids(&sources), sources.troubles()), (vec![String::from("two")], vec![]));
}
