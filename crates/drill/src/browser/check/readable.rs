//! Can a script of the page read a token?

use super::super::Tried;
use super::super::readable::{Readable, Worth};
use super::super::stage::Stage;
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-token-readable",
    "script cannot read a token after signing in",
    "ASVS 3.3.4, 14.3.3; OAuth 2.0 for Browser-Based Applications",
    "Keep tokens in HttpOnly cookies, set and read by the server or by a gateway in front of it. Hand none to script: not in a body, \
     not in storage, not in the page.",
);

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let found = stage.readable(scene).await?;
        let signed_in = stage.victim(scene).await?.signed_in.how;
        let line = |readable: &Readable| {
            let worth = match readable.worth {
                Worth::Opens => "works on another device",
                Worth::Renews => "named a refresh token",
                Worth::Refused => "has the shape of a token, and was not accepted when it was tried",
            };
            format!("{}: {worth} [{}]", readable.place, readable.secret.fingerprint())
        };
        let worst = found.iter().map(|readable| readable.worth).max();
        let severity = match worst {
            None => {
                return Ok(Verdict::pass(format!(
                    "signed in {signed_in}; localStorage, sessionStorage, IndexedDB, document.cookie, global variables and the \
                     document hold no token"
                )));
            }
            Some(Worth::Opens | Worth::Renews) => CHECK.severity,
            Some(Worth::Refused) => Severity::Low,
        };
        let places: Vec<&str> = found.iter().take(3).map(|readable| &*readable.place).collect();
        let evidence =
            Evidence::new(format!("any script of the page can read a token: {}", places.join(", ")))
                .step(format!("signed in {signed_in}"))
                .steps(found.iter().map(line));
        Ok(Verdict::Finding { severity, evidence })
    })
}
