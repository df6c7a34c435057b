//! J04, J05: real caching proxies in front of the gateway, from Debian's packages, keep nobody's pages for others.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use countersign_testkit::Client;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::scene::{Raw, Scene};

/// What an application says that knows of no sessions.
const PUBLIC: &str = "?header=cache-control:public,%20max-age=600";
/// Longer than an access token lives.
const LAPSE: Duration = Duration::from_secs(16 * 60);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Nginx,
    Varnish,
}

/// A running cache. Ends when dropped.
struct Cache {
    kind: Kind,
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Drop for Cache {
    fn drop(&mut self) {
        // Gone already is as good. Varnish ends its worker when it is told to, and not when it is killed.
        let ended = Command::new("kill").arg(self.child.id().to_string()).status().is_ok_and(|s| s.success());
        if !ended {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

impl Cache {
    async fn start(kind: Kind, site: SocketAddr) -> Self {
        // A port that was free a moment ago may be taken by now.
        for _ in 0..3 {
            let directory = tempfile::tempdir().unwrap();
            if let Some(cache) = Self::try_start(kind, site, directory).await {
                return cache;
            }
        }
        panic!("{kind:?} does not answer (cargo xtask setup installs it)");
    }

    async fn try_start(kind: Kind, site: SocketAddr, directory: TempDir) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let path = directory.path();
        let (name, arguments) = match kind {
            Kind::Nginx => ("nginx.conf", vec!["nginx".to_owned(), "-p".into(), text(path)]),
            Kind::Varnish => {
                let listen = format!("127.0.0.1:{}", free.port());
                let words = ["varnishd", "-F", "-j", "none", "-s", "malloc,16m", "-n"].map(str::to_owned);
                (
                    "default.vcl",
                    [
                        &words[..],
                        &[text(path), "-a".into(), listen, "-f".into(), text(&path.join("default.vcl"))],
                    ]
                    .concat(),
                )
            }
        };
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardening/caches").join(name);
        let configuration = std::fs::read_to_string(from).unwrap();
        let configuration = configuration
            .replace("{port}", &free.port().to_string())
            .replace("{site}", &site.port().to_string());
        std::fs::write(path.join(name), configuration).unwrap();
        let arguments = match kind {
            Kind::Nginx => [arguments, vec!["-c".into(), text(&path.join(name))]].concat(),
            Kind::Varnish => arguments,
        };
        let log = File::create(path.join("cache.log")).unwrap();
        let child = Command::new("sh")
            .args(["-c", "PATH=$PATH:/usr/sbin:/sbin; exec \"$@\"", "sh"])
            .args(arguments)
            .current_dir(path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("sh");
        let mut cache = Self { kind, child, address: free, _directory: directory };
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && cache.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(free).await.is_ok()
                && cache.get("/ready", None).await.contains("x-request-id")
            {
                return Some(cache);
            }
            sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// A page load through the cache: the whole answer, in lower case.
    async fn get(&self, target: &str, browser: Option<&Client>) -> String {
        let pairs: Vec<String> = browser.map_or_else(Vec::new, |browser| {
            browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect()
        });
        let cookies =
            if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) };
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: app.countersign.test\r\nSec-Fetch-Site: same-origin\r\n\
             {cookies}Connection: close\r\n\r\n"
        );
        Raw::send(self.address, &request).await.rest().await.to_ascii_lowercase()
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn is_hit(answer: &str) -> bool {
    answer.contains("x-cache: hit")
}

/// Whom the application was told that it serves.
fn served(answer: &str) -> Option<&str> {
    let after = answer.split("\"x-auth-user\",\"").nth(1)?;
    after.split('"').next()
}

/// Alice, then Bob, then nobody, on one address; and what is nobody's is kept all the same.
async fn keeps_nobodys_pages(kind: Kind) {
    let scene = Scene::with(|settings| settings.log_access = false).await;
    let cache = Cache::start(kind, scene.address()).await;
    let (alice, bob) =
        (scene.site.signed_in("alice@example.test").await, scene.site.signed_in("bob@example.test").await);

    // J04: without it, everything below would prove nothing.
    let asset = format!("/asset.css{PUBLIC}");
    assert!(!is_hit(&cache.get(&asset, Some(&alice)).await), "{kind:?}");
    let arrived = scene.arrived();
    for browser in [Some(&alice), Some(&bob), None] {
        let answer = cache.get(&asset, browser).await;
        assert!(is_hit(&answer) && served(&answer).is_none(), "{:?}: {answer}", cache.kind);
        assert!(!answer.contains("set-cookie"), "{answer}");
    }
    assert_eq!(scene.arrived(), arrived);

    // J04: each sees their own, every time.
    let mut names = Vec::new();
    for browser in [&alice, &bob, &alice, &bob] {
        let answer = cache.get(&format!("/mine/page{PUBLIC}"), Some(browser)).await;
        assert!(answer.starts_with("http/1.1 200") && !is_hit(&answer), "{kind:?}: {answer}");
        names.push(served(&answer).unwrap_or_else(|| panic!("{answer}")).to_owned());
    }
    assert!(names[0] != names[1] && names[0] == names[2] && names[1] == names[3], "{names:?}");

    // J05: an address that looks like an asset is none, however it is written.
    let deceptive = [
        "/mine/page",
        "/mine/x.css",
        "/mine/page;.css",
        "/mine/page%3b.css",
        "/mine/page%00.css",
        "/mine/page%0a.css",
        "/mine/page%23.css",
        "/mine/page%3f.css",
        "/mine/..%2fmine/x.css",
        "/mine%2fx.css",
        "//mine/x.css",
        "/mine//x.css",
        "/asset.css/..%2fmine/page",
        "/asset.css/../mine/page",
        "/%6dine/x.css",
        "/mine/./x.css",
        "/mine/%2e%2e/mine/x.css",
        "/mine\\x.css",
        "/MINE/x.css",
    ];
    for path in deceptive {
        let target = format!("{path}{PUBLIC}");
        let hers = cache.get(&target, Some(&alice)).await;
        for other in [None, Some(&bob)] {
            let answer = cache.get(&target, other).await;
            assert_ne!(served(&answer), Some(names[0].as_str()), "{kind:?} {path}: {answer}");
            assert!(!is_hit(&answer) || served(&hers).is_none(), "{kind:?} {path}: {answer}");
        }
    }

    // J04: what sets cookies is never kept.
    scene.site.advance(LAPSE);
    let target = format!("/mine/renewed{PUBLIC}");
    let renewed = cache.get(&target, Some(&alice)).await;
    assert!(
        renewed.contains("set-cookie") && renewed.contains("cache-control: no-store"),
        "{kind:?}: {renewed}"
    );
    for _ in 0..2 {
        let answer = cache.get(&target, None).await;
        assert!(!answer.contains("set-cookie") && !is_hit(&answer), "{kind:?}: {answer}");
        assert!(
            answer.starts_with("http/1.1 401") || answer.starts_with("http/1.1 303"),
            "{kind:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn j04_j05_nginx_keeps_nobodys_pages() {
    keeps_nobodys_pages(Kind::Nginx).await;
}

#[tokio::test]
async fn j04_j05_varnish_keeps_nobodys_pages() {
    keeps_nobodys_pages(Kind::Varnish).await;
}
