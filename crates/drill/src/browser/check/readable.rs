//! Can a script of the page read a token?

use super::super::Tried;
use super::super::readable::{Readable, Worth};
use super::super::stage::Stage;
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Verdict};

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
        if found.iter().all(|readable| readable.worth == Worth::Refused) {
            let summary = if found.is_empty() {
                "localStorage, sessionStorage, IndexedDB, document.cookie, global variables and the document hold no token"
            } else {
                "script can read what has the shape of a token, but none of it opens the account"
            };
            let evidence =
                Evidence::new(summary).step(format!("signed in {signed_in}")).steps(found.iter().map(line));
            return Ok(Verdict::Pass { evidence });
        }
        let found: Vec<&Readable> = found.iter().filter(|readable| readable.worth > Worth::Refused).collect();
        let places: Vec<&str> = found.iter().take(3).map(|readable| &*readable.place).collect();
        let evidence =
            Evidence::new(format!("any script of the page can read a token: {}", places.join(", ")))
                .step(format!("signed in {signed_in}"))
                .steps(found.into_iter().map(line));
        Ok(CHECK.finding(evidence))
    })
}
