//! Real proxies, from Debian's packages.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use countersign_testkit::Front;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::recipe;

/// What the proxy and the site share.
pub(crate) const SECRET: &str = "5f0c2a64c5d54a7fb1d0e2f0a3b8c9d7e6f50413223140";

/// Proxies that are run for real.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
    Haproxy,
}

/// A running proxy. Ends when dropped.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Gone already is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Proxy {
    /// Starts one in a directory that holds the certificate of `front`.
    pub(crate) async fn start(kind: Kind, directory: &Path, front: &Front, ports: [u16; 2]) -> Self {
        // A port that was free a moment ago may be taken by now.
        for _ in 0..3 {
            if let Some(proxy) = Self::try_start(kind, directory, front, ports).await {
                return proxy;
            }
        }
        let log = std::fs::read_to_string(directory.join("proxy.log")).unwrap_or_default();
        panic!("{kind:?} does not answer (cargo xtask setup installs it); it says:\n{log}");
    }

    async fn try_start(
        kind: Kind,
        directory: &Path,
        front: &Front,
        [countersign, app]: [u16; 2],
    ) -> Option<Self> {
        let [https, http, admin] = free_ports().await;
        let ports =
            [("https", https), ("http", http), ("admin", admin), ("countersign", countersign), ("app", app)];
        let command = match kind {
            Kind::Nginx => nginx(directory, &ports),
            Kind::Caddy => caddy(directory, &ports),
            Kind::Haproxy => haproxy(directory, &ports),
        };
        let log = File::create(directory.join("proxy.log")).unwrap();
        let child = Command::new("sh")
            .args(["-c", "PATH=$PATH:/usr/sbin:/sbin; exec \"$@\"", "sh"])
            .args(command)
            .current_dir(directory)
            .env("HOME", directory)
            .env("XDG_DATA_HOME", directory)
            .env("XDG_CONFIG_HOME", directory)
            .env("COUNTERSIGN_FORWARD_AUTH", SECRET)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("sh");
        let mut proxy = Self { child, address: SocketAddr::from(([127, 0, 0, 1], https)) };
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && proxy.child.try_wait().unwrap().is_none() {
            // By its certificate: somebody else may have been faster at this port.
            if front.answers(proxy.address).await {
                return Some(proxy);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

/// All held at once, so that they differ.
async fn free_ports() -> [u16; 3] {
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    [0, 1, 2].map(|n: usize| held[n].local_addr().unwrap().port())
}

fn nginx(directory: &Path, ports: &recipe::Ports) -> Vec<String> {
    for file in ["nginx.conf", "nginx-own.conf", "nginx-question.conf"] {
        recipe::copy(file, directory, ports);
    }
    let secret = format!("proxy_set_header Countersign-Forward-Auth \"{SECRET}\";\n");
    std::fs::write(directory.join("countersign-secret.conf"), secret).unwrap();
    // What Debian's own nginx.conf is: the file that includes sites. One process, so that ending it ends all of it.
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String = temporary.iter().map(|kind| format!("{kind}_temp_path tmp-{kind};\n")).collect();
    let main = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}include nginx.conf;\n}}\n"
    );
    std::fs::write(directory.join("main.conf"), main).unwrap();
    let main = directory.join("main.conf");
    words(&["nginx", "-p", &directory.to_string_lossy(), "-c", &main.to_string_lossy()])
}

fn caddy(directory: &Path, ports: &recipe::Ports) -> Vec<String> {
    recipe::copy("Caddyfile", directory, ports);
    words(&["caddy", "run", "--adapter", "caddyfile", "--config", "Caddyfile"])
}

fn haproxy(directory: &Path, ports: &recipe::Ports) -> Vec<String> {
    recipe::copy("haproxy.lua", directory, ports);
    recipe::copy("haproxy.cfg", directory, ports);
    words(&["haproxy", "-db", "-f", "haproxy.cfg"])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
