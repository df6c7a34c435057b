//! The Express recipe (`peers/express`): an own database, seeded, served and counted by one script.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Contender;
use crate::{Failure, machine};

/// HS256 with a prepared key object; any 32 bytes do.
const KEY: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

/// A recipe with its database.
#[derive(Debug)]
pub(crate) struct Express {
    script: PathBuf,
    database: PathBuf,
    directory: PathBuf,
}

/// A session of the recipe.
#[derive(Debug)]
pub(crate) struct Seeded {
    /// The `Cookie` header.
    pub(crate) cookies: String,
    /// The CSRF token.
    pub(crate) csrf: String,
}

impl Express {
    /// Installs what the lock file names, unless it is there.
    pub(crate) fn install(directory: &Path) -> Result<Self, Failure> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/express");
        if !home.join("node_modules/better-sqlite3/build/Release/better_sqlite3.node").exists() {
            crate::report::progress("installing the Express recipe's packages (better-sqlite3 is compiled)")?;
            // The lock file names no host; versions and hashes are its own all the same.
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&home);
            succeed(&mut npm)?;
            // Newer versions of npm run no install scripts of their own accord.
            succeed(
                Command::new("npm")
                    .args(["rebuild", "better-sqlite3", "--loglevel=error"])
                    .current_dir(&home),
            )?;
        }
        Ok(Self {
            script: home.join("main.mjs"),
            database: directory.join("express.db"),
            directory: directory.into(),
        })
    }

    fn node(&self, mut node: Command, verb: &str) -> Command {
        // As it would be deployed: Express is slower without.
        node.env("NODE_ENV", "production").arg(&self.script).arg(verb).arg(&self.database).arg(KEY);
        node
    }

    /// Opens sessions.
    pub(crate) fn seed(&self, count: usize) -> Result<Vec<Seeded>, Failure> {
        let file = self.directory.join("express-sessions.txt");
        succeed(self.node(Command::new("node"), "seed").arg(count.to_string()).arg(&file))?;
        let text = std::fs::read_to_string(&file)?;
        let seeded: Vec<Seeded> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(cookies, csrf)| Seeded { cookies: cookies.into(), csrf: csrf.into() })
            .collect();
        if seeded.len() == count {
            Ok(seeded)
        } else {
            Err("the recipe seeded another number of sessions".into())
        }
    }

    /// Starts it.
    pub(crate) async fn start(&self) -> Result<Contender, Failure> {
        let address = machine::free_port()?;
        let mut command = self.node(machine::on_server_core("node"), "serve");
        command.arg(address.port().to_string());
        Contender::start(command, address, &self.directory.join("express.out")).await
    }

    /// The sum of all sessions' generations: 1 each, and one more for each rotation that was written.
    pub(crate) fn generations(&self) -> Result<u64, Failure> {
        let output = self.node(Command::new("node"), "count").output()?;
        let counted: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        counted.get("generations").and_then(serde_json::Value::as_u64).ok_or_else(|| "no count".into())
    }
}

fn succeed(command: &mut Command) -> Result<(), Failure> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {} {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
