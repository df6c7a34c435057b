//! Where the records live.

use crate::config::typed::{Leaf, Misfit};
use std::path::PathBuf;
use url::Url;

/// `store = "sqlite:…"` or `"postgres://…"`.
#[derive(Debug)]
pub(crate) enum StoreLocation {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection. Recognised, but no such store yet: its URL, with the password in it, is not kept.
    Postgres {
        /// Whether the server's certificate is checked (`sslmode=verify-full`), or the server is on this machine.
        verified: bool,
    },
}

impl Leaf for StoreLocation {
    const PRIVATE: bool = true;

    fn from_text(text: &str) -> Result<Self, Misfit> {
        let remedy = "write \"sqlite:countersign.db\" or \"postgres://user@host/database\"";
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') || path.contains('?') {
                let message = "this names no file: sessions would not survive a restart";
                return Err(Misfit::new(message, remedy));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = Url::parse(text)
                .map_err(|error| Misfit::new(&format!("this is not a URL: {error}"), remedy))?;
            // A non-special scheme keeps its host as text, so loopback addresses are compared as such.
            let host = url.host_str().unwrap_or_default();
            let local = ["", "localhost", "127.0.0.1", "[::1]"].contains(&host);
            let checked = url.query_pairs().any(|(key, value)| key == "sslmode" && value == "verify-full");
            return Ok(Self::Postgres { verified: local || checked });
        }
        Err(Misfit::new("this kind of store is not known", remedy))
    }
}
