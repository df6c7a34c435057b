//! Where the records live.

use crate::config::typed::{Leaf, Misfit};
use std::path::PathBuf;

/// What is said of every other kind of store, by the lint and by commands that open one.
pub(crate) const SQLITE_ONLY: &str = "this version keeps its state in SQLite only";
/// What to do about it.
pub(crate) const SQLITE_ONLY_REMEDY: &str = "set store = \"sqlite:countersign.db\"";

/// `store = "sqlite:…"`; `"postgres://…"` is understood to be refused with a sentence of its own.
#[derive(Debug)]
pub(crate) enum StoreLocation {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection. Recognised, but no such store yet: its URL, with the password in it, is not kept.
    Postgres,
}

impl Leaf for StoreLocation {
    const PRIVATE: bool = true;

    fn from_text(text: &str) -> Result<Self, Misfit> {
        let remedy = "write \"sqlite:countersign.db\", or another path behind sqlite:";
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') || path.contains('?') {
                let message = "this names no file: sessions would not survive a restart";
                return Err(Misfit::new(message, remedy));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres);
        }
        Err(Misfit::new("this kind of store is not known", remedy))
    }
}
