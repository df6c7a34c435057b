//! Other origins: who may read answers (CORS), and whose headers are believed.

use http::Method;

use super::Attacks;
use crate::check::Check;
use crate::client::{Ask, Cookies, Device};
use crate::credential::{Carrier, CredentialKind};
use crate::detect::{Seen, seen_apart};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const CORS: Check = Check::new(
    "cors-reflection",
    "pages of other origins cannot read answers",
    "ASVS 3.4.2; CVE-2026-37737; C10",
    "Compare Origin with an exact list; never echo it, and never allow null, together with credentials.",
);

const SPOOF: Check = Check::new(
    "identity-headers",
    "nobody becomes another by sending a header",
    "CVE-2025-64484; CVE-2024-45410; K01, K03",
    "Remove identity headers (in every spelling, _ for - too) from what clients send before setting them, and let the application listen to its proxy only.",
)
.severity(Severity::Critical);

pub(super) const ATTACKS: Attacks =
    &[(CORS, |scene| Box::pin(cors(scene))), (SPOOF, |scene| Box::pin(spoof(scene)))];

async fn cors(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let app = scene.app()?;
    let own = scene.target.origin();
    let host = &own.host;
    let origins = [
        "https://attacker.example".to_owned(),
        format!("https://{host}.attacker.example"),
        format!("https://attacker{host}"),
        "null".to_owned(),
    ];
    let login = scene.target.join(&app.login.call.path);
    let mut open = Vec::new();
    for url in std::iter::once(app.who.url.clone()).chain(login) {
        for origin in &origins {
            let preflight = Ask::new(Method::OPTIONS, url.clone())
                .header("origin", origin.clone())
                .header("access-control-request-method", "PUT")
                .header("access-control-request-headers", "authorization,content-type")
                .cookies(Cookies::None);
            let plain = session.attach(Ask::get(url.clone())).header("origin", origin.clone());
            for (kind, ask) in [("preflight", preflight), ("answer", plain)] {
                let answer = session.agent.send_apart(ask).await?;
                let allowed = answer.header("access-control-allow-origin").unwrap_or_default();
                let credentials = answer.header("access-control-allow-credentials") == Some("true");
                if allowed == origin && credentials {
                    open.push(format!(
                        "{kind} to {}: Access-Control-Allow-Origin: {allowed} with credentials",
                        answer.asked
                    ));
                }
            }
        }
    }
    if open.is_empty() {
        return Ok(Verdict::pass("no foreign origin may read answers with credentials"));
    }
    // Without a cookie, a browser attaches nothing to what another site asks.
    let by_cookie = session
        .of_kind(CredentialKind::Access)
        .iter()
        .any(|token| matches!(token.carrier, Carrier::Cookie { .. }));
    let severity = if by_cookie { CORS.severity } else { Severity::Medium };
    let evidence = Evidence::new("a page of any origin may read what a signed-in visitor can").steps(open);
    Ok(Verdict::Finding { severity, evidence })
}

/// Headers in which proxies tell applications who is there.
const IDENTITY: [&str; 22] = [
    "x-user",
    "x_user",
    "x-user-id",
    "x-user-email",
    "x-username",
    "x-auth-user",
    "x_auth_user",
    "x-auth-email",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-remote-user",
    "remote-user",
    "remote_user",
    "x-authenticated-user",
    "x-authenticated-userid",
    "x-webauth-user",
    "x-email",
    "x-user-name",
    "x-goog-authenticated-user-email",
];

async fn spoof(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let victim = scene.account(0)?;
    let attacker = scene.agent(Device::Other);
    let own = match scene.accounts.len() {
        0 | 1 => None,
        _ => Some(scene.session(1).await?),
    };
    let mut values = vec![victim.login.clone(), victim.local_part().to_owned()];
    // Numbers and opaque ids: what the application itself calls the victim.
    let session = scene.session(0).await?;
    let answer = session.send(app.who.ask()).await?;
    if let Some(json) = answer.json() {
        let id = ["/id", "/user/id", "/sub", "/user_id", "/data/id", "/user/sub", "/pk"]
            .iter()
            .find_map(|pointer| json.pointer(pointer));
        values.extend(id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)));
    }
    values.dedup();
    let mut through = Vec::new();
    for value in &values {
        let all = || IDENTITY.iter().map(|name| (*name, value.clone()));
        let nobody = app.who.ask().cookies(Cookies::None).headers(all());
        let nominated = app
            .who
            .ask()
            .cookies(Cookies::None)
            .headers(all())
            .header("connection", "close, x-forwarded-for, x-auth-user, authorization");
        let mut asks = vec![
            ("without any credential", &attacker, nobody),
            ("with a Connection header that names others", &attacker, nominated),
        ];
        if let Some(own) = &own {
            asks.push((
                "on top of the attacker's own session",
                &own.agent,
                own.attach(app.who.ask()).headers(all()),
            ));
        }
        for (how, agent, ask) in asks {
            let (seen, answer) = seen_apart(scene, agent, ask).await?;
            if seen == Seen::Account(0) && tells_apart(scene, &answer.text(), value) {
                through
                    .push(format!("{how}, identity headers with the victim's name or id: {}", answer.line()));
            }
        }
    }
    if through.is_empty() {
        let text = format!("{} headers in {} spellings changed nothing", IDENTITY.len(), values.len());
        return Ok(Verdict::pass(text));
    }
    let which = single(scene, &values).await?;
    let text = match which {
        Some(name) => format!("the header {name} makes anybody the victim"),
        None => "identity headers make anybody the victim".to_owned(),
    };
    Ok(SPOOF.finding(Evidence::new(text).steps(through)))
}

/// A page that merely repeats what was sent does not take the sender for the victim.
fn tells_apart(scene: &Scene, body: &str, sent: &str) -> bool {
    let login = scene.accounts.first().map(|account| account.login.as_str()).unwrap_or_default();
    sent != login || body.matches(sent).count() > 0 && !body.contains("x-user")
}

/// Which of the headers it is.
async fn single(scene: &Scene, values: &[String]) -> Result<Option<&'static str>, Broken> {
    let app = scene.app()?;
    let attacker = scene.agent(Device::Other);
    for value in values {
        for name in IDENTITY {
            let ask = app.who.ask().cookies(Cookies::None).header(name, value.clone());
            if seen_apart(scene, &attacker, ask).await?.0 == Seen::Account(0) {
                return Ok(Some(name));
            }
        }
    }
    Ok(None)
}
