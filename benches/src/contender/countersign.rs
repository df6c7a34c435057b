//! Countersign's `serve`, in production mode behind a trusted proxy, with all defaults.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::{Contender, PATIENCE};
use crate::{Failure, load, machine};

/// What the gateway believes to be called.
pub(crate) const PUBLIC_URL: &str = "https://bench.example.com";
/// Its host.
pub(crate) const ORIGIN_HOST: &str = "bench.example.com";

/// A configured server.
#[derive(Debug)]
pub(crate) struct Countersign {
    binary: PathBuf,
    directory: PathBuf,
    config: PathBuf,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Countersign {
    /// Writes the configuration: the store in `directory`, one application.
    pub(crate) fn configure(binary: &Path, directory: &Path, upstream: SocketAddr) -> Result<Self, Failure> {
        Self::configure_with(binary, directory, upstream, "")
    }

    /// The same, with more at the end of the configuration.
    pub(crate) fn configure_with(
        binary: &Path,
        directory: &Path,
        upstream: SocketAddr,
        more: &str,
    ) -> Result<Self, Failure> {
        let (address, admin) = (machine::free_port()?, machine::free_port()?);
        let config = directory.join("countersign.toml");
        let mut text = String::new();
        writeln!(text, "environment = \"production\"\npublic_url = \"{PUBLIC_URL}\"")?;
        writeln!(text, "store = \"sqlite:{}\"", database(directory).display())?;
        writeln!(text, "[listen]\naddress = \"{address}\"\nadmin = \"{admin}\"")?;
        writeln!(text, "trusted_proxies = [\"127.0.0.1/32\"]\n[tls]\nmode = \"off\"")?;
        // Tokens are made before the runs and must outlive them; an hour is the longest that is safe.
        writeln!(text, "[tokens]\naccess_ttl = \"1h\"\n[limits]\nunready = \"0s\"")?;
        writeln!(text, "[[upstream]]\nname = \"app\"\nurl = \"http://{upstream}\"\n{more}")?;
        std::fs::write(&config, text)?;
        Ok(Self { binary: binary.into(), directory: directory.into(), config, address, admin })
    }

    /// Starts it, and tells how long it took to be ready.
    pub(crate) async fn start(&self) -> Result<(Contender, Duration), Failure> {
        let mut command = machine::on_server_core(&self.binary);
        command.arg("serve").arg("--config").arg(&self.config).current_dir(&self.directory);
        let begun = Instant::now();
        let output = self.directory.join("countersign.out");
        let contender = Contender::start(command, self.address, &output).await?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\n\r\n", self.admin);
        while let Err(error) = load::ask(self.admin, request.as_bytes()).await {
            if begun.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(&output).unwrap_or_default();
                return Err(format!("countersign is not ready: {error}; {said}").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok((contender, begun.elapsed()))
    }
}

/// The store of a bench directory.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("countersign.db")
}
