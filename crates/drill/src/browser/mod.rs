//! Attacks in a real browser: what script can read and send away, what other sites can make a victim's browser do, what is left
//! after signing out.
//!
//! A Chromium is started with a fresh profile when the first of these attacks runs, and ended with the last. The sites of the
//! attacker exist nowhere: requests to them are answered inside of the browser, by `thief`, so nothing that is stolen leaves the
//! machine, and names, TLS and cookies are those of a real attack all the same.

mod cdp;
mod change;
mod check;
mod chromium;
mod door;
mod find;
mod readable;
mod sign_in;
mod stage;
mod tab;
mod thief;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use find::{NoBrowser, find};

use crate::check::{Attack, Check, Running};
use crate::scene::{Broken, Scene};
use crate::verdict::Verdict;
use stage::Stage;

/// How the browser is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program, or why there is none: its attacks are then reported as not applicable, with that reason.
    pub program: Result<PathBuf, String>,
    /// Believe any certificate: for a deployment with a local CA that the HTTP client was told to trust.
    pub any_certificate: bool,
    /// Without Chromium's own sandbox, which root cannot have.
    pub no_sandbox: bool,
}

/// Why an attack in the browser could not be tried.
#[derive(Debug, thiserror::Error)]
enum BrowserError {
    /// No browser.
    #[error("{0}")]
    Missing(String),
    /// It did not start, when it was tried the first time.
    #[error("{0}")]
    NotStarted(String),
    /// It does not start.
    #[error("Chromium at {} did not start: {why}", .program.display())]
    Start {
        /// Which.
        program: PathBuf,
        /// What was seen.
        why: String,
    },
    /// It went away.
    #[error("Chromium went away in the middle of an attack")]
    Gone,
    /// It does not answer.
    #[error("Chromium did not answer {method} within {} s", .after.as_secs())]
    Silent {
        /// What was asked.
        method: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// It refused a command.
    #[error("Chromium refused {method}: {why}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// Its reason.
        why: String,
    },
    /// A page cannot be opened.
    #[error("{url} could not be opened in Chromium: {why}")]
    Page {
        /// Which.
        url: String,
        /// Chromium's word.
        why: String,
    },
    /// A script of ours failed in a page.
    #[error("a script failed in the page: {0}")]
    Script(String),
    /// Nobody could be signed in.
    #[error("signing in with Chromium did not work: {0}")]
    SignIn(String),
    /// What is common to all attacks.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// A function that tries one check in the browser.
type Tried<'s> = std::pin::Pin<Box<dyn Future<Output = Result<Verdict, BrowserError>> + Send + 's>>;

/// That function.
type Try = for<'s> fn(&'s Stage, &'s Scene) -> Tried<'s>;

/// An attack that needs the shared browser.
struct InBrowser {
    check: Check,
    stage: Arc<Stage>,
    run: Try,
}

impl std::fmt::Debug for InBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("InBrowser").field(&self.check.id).finish()
    }
}

impl Attack for InBrowser {
    fn check(&self) -> &Check {
        &self.check
    }

    fn run<'s>(&'s self, scene: &'s Scene) -> Running<'s> {
        Box::pin(async move {
            match (self.run)(&self.stage, scene).await {
                Ok(verdict) => Ok(verdict),
                Err(BrowserError::Broken(broken)) => Err(broken),
                Err(BrowserError::Missing(why)) => Ok(Verdict::not_applicable(why)),
                Err(error @ BrowserError::SignIn(_)) => Ok(Verdict::inconclusive(error.to_string())),
                Err(error) => Ok(Verdict::Error { reason: error.to_string() }),
            }
        })
    }
}

/// Every attack in the browser. They share one Chromium, which ends when the last of them is dropped.
#[must_use]
pub fn attacks(options: Options) -> Vec<Box<dyn Attack>> {
    let stage = Arc::new(Stage::new(options));
    let attack = |(check, run): (Check, Try)| {
        Box::new(InBrowser { check, stage: Arc::clone(&stage), run }) as Box<dyn Attack>
    };
    check::all().into_iter().map(attack).collect()
}
