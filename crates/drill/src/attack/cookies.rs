//! The attributes of cookies that hold credentials.

use super::Attacks;
use crate::check::{Check, Running};
use crate::client::{SameSite, SetCookie};
use crate::credential::{CredentialKind, Place};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const HTTP_ONLY: Check = Check::new(
    "cookie-httponly",
    "cookies with credentials are out of script's reach",
    "ASVS 3.3.4; B01",
    "Add HttpOnly to the cookie: no script needs to read it, and an injected one then cannot.",
);

const SECURE: Check = Check::new(
    "cookie-secure",
    "cookies with credentials never travel in the clear",
    "ASVS 3.3.1; B01",
    "Add Secure to the cookie, and serve the application over HTTPS only.",
);

const SAME_SITE: Check = Check::new(
    "cookie-samesite",
    "cookies with credentials say when other sites may send them",
    "ASVS 3.3.2; B06",
    "Add SameSite=Lax, or Strict, to the cookie: browsers differ in what they do without it.",
)
.severity(Severity::Medium);

const PREFIX: Check = Check::new(
    "cookie-prefix",
    "cookies with credentials cannot be planted by a sibling host",
    "ASVS 3.3.3; B01, B02",
    "Name the cookie with the prefix __Host- (Secure, Path=/, no Domain): a sibling subdomain then can neither read nor set it.",
)
.severity(Severity::Low);

pub(super) const ATTACKS: Attacks = &[
    (HTTP_ONLY, |scene| Box::pin(judge(scene, &HTTP_ONLY, |cookie, _| !cookie.http_only))),
    (SECURE, secure),
    (SAME_SITE, |scene| {
        Box::pin(judge(scene, &SAME_SITE, |cookie, _| {
            matches!(cookie.same_site, SameSite::Unsaid | SameSite::None)
        }))
    }),
    (PREFIX, prefix),
];

fn secure(scene: &Scene) -> Running<'_> {
    Box::pin(async move {
        if !scene.target.is_https() && scene.target.is_local() {
            return Ok(Verdict::not_applicable(
                "plain HTTP on this machine: judge it where it is served over HTTPS",
            ));
        }
        judge(scene, &SECURE, |cookie, _| !cookie.secure).await
    })
}

fn prefix(scene: &Scene) -> Running<'_> {
    Box::pin(async move {
        if !scene.target.is_https() {
            return Ok(Verdict::not_applicable("prefixes need HTTPS"));
        }
        judge(scene, &PREFIX, |cookie, _| {
            let name = cookie.name.to_ascii_lowercase();
            cookie.domain.is_some() || !(name.starts_with("__host-") && cookie.keeps_its_prefix())
        })
        .await
    })
}

async fn judge(scene: &Scene, check: &Check, bad: fn(&SetCookie, &Scene) -> bool) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let jar = session.agent.jar();
    let mut cookies = Vec::new();
    for credential in session.credentials() {
        if let (Place::Cookie { name }, CredentialKind::Access | CredentialKind::Refresh) =
            (&credential.place, credential.kind)
        {
            cookies.extend(jar.named(name).cloned());
        }
    }
    if cookies.is_empty() {
        return Ok(Verdict::not_applicable("no credential lies in a cookie"));
    }
    let (wrong, right): (Vec<_>, Vec<_>) = cookies.iter().partition(|cookie| bad(cookie, scene));
    let names =
        |cookies: &[&SetCookie]| cookies.iter().map(|cookie| &*cookie.name).collect::<Vec<_>>().join(", ");
    if wrong.is_empty() {
        return Ok(Verdict::pass(format!("as it should be: {}", names(&right))));
    }
    let evidence =
        Evidence::new(format!("not so: {}", names(&wrong))).steps(wrong.iter().map(|cookie| shown(cookie)));
    Ok(check.finding(evidence))
}

/// The cookie without its value.
fn shown(cookie: &SetCookie) -> String {
    let mut said = Vec::new();
    for (is, name) in
        [(cookie.http_only, "HttpOnly"), (cookie.secure, "Secure"), (cookie.partitioned, "Partitioned")]
    {
        if is {
            said.push(name.to_owned());
        }
    }
    match cookie.same_site {
        SameSite::Unsaid => {}
        same_site => said.push(format!("SameSite={same_site:?}")),
    }
    for (name, value) in [("Path", &cookie.path), ("Domain", &cookie.domain)] {
        if let Some(value) = value {
            said.push(format!("{name}={value}"));
        }
    }
    let said = if said.is_empty() { "no attribute".to_owned() } else { said.join(", ") };
    format!("{} is set with {said}", cookie.name)
}
