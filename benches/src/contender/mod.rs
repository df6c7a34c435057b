//! The programs that are compared: started on free ports of the loopback address, ended by their own process id.

mod countersign;
mod express;
mod haproxy;
mod nginx;

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{Failure, machine};

pub(crate) use countersign::{Countersign, ORIGIN_HOST, PUBLIC_URL, database};
pub(crate) use express::Express;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to end before it is killed.
const FAREWELL: Duration = Duration::from_secs(20);

/// A running server; ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Contender {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Contender {
    /// nginx as the application behind all others, on the clients' core.
    pub(crate) async fn upstream(directory: &Path) -> Result<Self, Failure> {
        nginx::upstream(directory).await
    }

    /// nginx as a proxy without authentication.
    pub(crate) async fn nginx(directory: &Path, upstream: SocketAddr) -> Result<Self, Failure> {
        nginx::proxy(directory, upstream).await
    }

    /// haproxy that verifies ES256 tokens with a public key in PEM.
    pub(crate) async fn haproxy(directory: &Path, upstream: SocketAddr, key: &str) -> Result<Self, Failure> {
        haproxy::start(directory, upstream, key).await
    }

    /// Starts a program whose output goes to a file; returns once it accepts connections.
    async fn start(mut command: Command, address: SocketAddr, output: &Path) -> Result<Self, Failure> {
        let log = File::create(output)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut contender = Self { child, address };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = contender.child.try_wait()? {
                let said = std::fs::read_to_string(output).unwrap_or_default();
                return Err(format!("{command:?} ended with {status}: {said}").into());
            }
            if Instant::now() > deadline {
                return Err(format!("{command:?} does not listen at {address}").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(contender)
    }

    /// Processor time used so far.
    pub(crate) fn processor_time(&self) -> Result<Duration, Failure> {
        machine::processor_time(self.child.id())
    }

    /// Resident memory in kB.
    pub(crate) fn resident(&self) -> Result<u64, Failure> {
        machine::resident(self.child.id())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).stderr(Stdio::null()).status();
        let patience = FAREWELL.as_millis() / 20;
        for _ in 0..patience {
            match self.child.try_wait() {
                Ok(None) if asked.is_ok() => std::thread::sleep(Duration::from_millis(20)),
                _ => break,
            }
        }
        // Gone already, in the usual case.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes a configuration from its template: `{{name}}` stands for a value.
fn render(template: &str, values: &[(&str, &str)], to: &Path) -> Result<(), Failure> {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    Ok(std::fs::write(to, text)?)
}
