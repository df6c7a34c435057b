//! Keys for programs that the application shows to whoever is signed in.

use super::Attacks;
use crate::check::Check;
use crate::client::{Ask, Device};
use crate::credential::{Carrier, Credential, CredentialKind, Place};
use crate::detect::{Session, alone, alone_value, seen_apart, tokens};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const LIMITS: Check = Check::new(
    "api-key-limits",
    "an API key opens less than a session, for a time, from known places",
    "ASVS 13.3.2; G04, G05",
    "Give each key a scope, an expiry and a list of addresses, show it once, and keep its hash only.",
)
.severity(Severity::Medium);

const IN_URL: Check = Check::new(
    "api-key-in-url",
    "API keys in addresses are refused",
    "ASVS 14.2.1; G06",
    "Take keys from a header only: addresses end in histories, logs and Referer headers.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks =
    &[(LIMITS, |scene| Box::pin(limits(scene))), (IN_URL, |scene| Box::pin(in_url(scene)))];

/// Headers in which keys travel.
const HEADERS: [(&str, &str); 6] = [
    ("x-api-key", ""),
    ("authorization", "Bearer "),
    ("authorization", "Api-Key "),
    ("authorization", "ApiKey "),
    ("authorization", "Token "),
    ("api-key", ""),
];

/// Parameters in which keys travel.
const PARAMETERS: [&str; 5] = ["api_key", "apikey", "key", "apiKey", "access_token"];

/// A key that the application shows again and again, with the header that it works in.
async fn find(scene: &Scene, session: &Session) -> Result<Option<Credential>, Broken> {
    let app = scene.app()?;
    let mut paths: Vec<String> =
        app.site.readable().into_iter().filter(|path| path.to_lowercase().contains("key")).collect();
    paths.extend(
        [
            "/api/key",
            "/api/keys",
            "/api/api-key",
            "/api/api-keys",
            "/auth/api-keys",
            "/api/tokens",
            "/account/api-key",
        ]
        .map(str::to_owned),
    );
    paths.push(app.who.call.path.clone());
    paths.dedup();
    let known: Vec<Credential> = session.credentials();
    for path in paths {
        let Some(url) = scene.target.join(&path) else { continue };
        let answer = session.send(Ask::get(url)).await?;
        if !answer.is_success() || answer.json().is_none() {
            continue;
        }
        for candidate in tokens::candidates(&answer, &scene.agent(Device::Own)) {
            let Place::Json { pointer } = &candidate.place else { continue };
            if known.iter().any(|known| known.secret.same(&candidate.secret))
                || !pointer.to_lowercase().contains("key") && !pointer.to_lowercase().contains("token")
            {
                continue;
            }
            for (name, prefix) in HEADERS {
                let carrier = Carrier::Header { name: name.to_owned(), prefix: prefix.to_owned() };
                let ask =
                    alone_value(app.who.method(), app.who.url.clone(), &carrier, candidate.secret.expose());
                if seen_apart(scene, &scene.agent(Device::Other), ask).await?.0.is_somebody() {
                    scene.vault.steal(&candidate.secret);
                    let place = Place::Json { pointer: format!("{pointer} of GET {path}") };
                    return Ok(Some(Credential {
                        kind: CredentialKind::ApiKey,
                        place,
                        carrier,
                        secret: candidate.secret,
                    }));
                }
            }
        }
    }
    Ok(None)
}

async fn limits(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let Some(key) = find(scene, &session).await? else {
        return Ok(Verdict::not_applicable("no API key is shown to who is signed in"));
    };
    let app = scene.app()?;
    let thief = scene.agent(Device::Other);
    // Everything that a session reads, a key without a scope reads too.
    let mut opened = Vec::new();
    let mut readable = app.site.readable();
    // What belongs to signing in is not the application's to open: a gateway in front of it answers there, and refuses keys rightly.
    readable.retain(|path| !path.starts_with("/auth/") && !path.starts_with("/.well-known/"));
    readable.truncate(15);
    for path in readable.iter().chain(std::iter::once(&app.who.call.path)) {
        let Some(url) = scene.target.join(path) else { continue };
        let by_session = session.send(Ask::get(url.clone())).await?;
        if !by_session.is_success() || by_session.is_html() {
            continue;
        }
        let nobody = thief.send_apart(Ask::get(url.clone())).await?;
        let by_key = thief.send_apart(alone(http::Method::GET, url, &key)).await?;
        if !nobody.is_success() {
            opened.push((path.clone(), by_key.is_success()));
        }
    }
    let refused = opened.iter().filter(|(_, open)| !open).count();
    let open: Vec<String> = opened.iter().filter(|(_, open)| *open).map(|(path, _)| path.clone()).collect();
    scene.radius(&session, &key, |radius| {
        radius.works_for.extend(open.iter().map(|path| format!("reads GET {path}")));
        radius.elsewhere = Some(true);
    });
    if refused > 0 {
        return Ok(Verdict::pass(format!(
            "the key opens {} of {} requests that a session opens",
            open.len(),
            opened.len()
        )));
    }
    let text = format!(
        "the key from the {} opens everything that the session does, on any device, and says nothing of an end",
        key.place
    );
    Ok(LIMITS.finding(Evidence::new(text).step(format!("opened: {}", open.join(", ")))))
}

async fn in_url(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let Some(key) = find(scene, &session).await? else {
        return Ok(Verdict::not_applicable("no API key is shown to who is signed in"));
    };
    let app = scene.app()?;
    for name in PARAMETERS {
        let carrier = Carrier::Query { name: name.to_owned() };
        let ask = alone_value(app.who.method(), app.who.url.clone(), &carrier, key.secret.expose());
        let (seen, answer) = seen_apart(scene, &scene.agent(Device::Other), ask).await?;
        if seen.is_somebody() {
            return Ok(IN_URL.finding(
                Evidence::new(format!("the key works as the query parameter {name}")).step(answer.line()),
            ));
        }
    }
    Ok(Verdict::pass("the key is taken from headers only"))
}
