//! Asking a server what a token is worth: RFC 7662, with an API key that has the scope `introspect`.

use anyhow::{Context, bail};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Clock;
use countersign_drill::Target;
use countersign_drill::client::{Agent, Ask, Cookies, Device, Limits, Net, Pace, Trust};
use countersign_drill::scene::Present;
use countersign_leak::explain::Standing;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where servers of ours answer.
const INTROSPECT: &str = "/auth/introspect";

/// Which server, and how to reach it.
#[derive(Debug)]
pub(super) struct Server<'a> {
    pub(super) url: &'a str,
    pub(super) key_file: &'a Path,
    pub(super) ca_file: Option<&'a Path>,
}

/// Sends the token to the server that was named, and to nobody else.
pub(super) async fn ask(server: &Server<'_>, token: &str) -> anyhow::Result<Standing> {
    let target = Target::parse(server.url)?;
    if !target.is_https() && !target.is_local() {
        bail!("{} is plain http: whoever is in between would get the token; use https", server.url);
    }
    let url = target.join(INTROSPECT).context("--server is no server of Countersign")?;
    let key = Zeroizing::new(
        fs::read_to_string(server.key_file).with_context(|| server.key_file.display().to_string())?,
    );
    let trust = match server.ca_file {
        Some(file) => Trust::Also(fs::read(file).with_context(|| file.display().to_string())?),
        None => Trust::System,
    };
    let present = Present::new(|| countersign_adapters::SystemClock.now());
    let net =
        Net::new(vec![target.origin()], &trust, Limits::default(), Pace::new(10), present, Arc::default())?;
    let ask = Ask::post(url)
        .cookies(Cookies::None)
        .header("accept", "application/json")
        .header("authorization", format!("Bearer {}", key.trim()))
        .form([("token", token)]);
    let answer = Agent::new(Arc::new(net), Device::Own).send(ask).await?;
    match answer.status {
        200 => {}
        401 | 403 => bail!(
            "{} refused the API key in {} ({}): it needs the scope introspect (`countersign api-key create … --scope introspect`)",
            server.url,
            server.key_file.display(),
            answer.status
        ),
        status => bail!("{} answered {status} at {INTROSPECT}: is it a server of Countersign?", server.url),
    }
    let said = answer.json().with_context(|| format!("{} did not answer with JSON", server.url))?;
    told(server.url, &said).with_context(|| format!("{} did not say whether the token is active", server.url))
}

fn told(asked: &str, said: &Value) -> Option<Standing> {
    let active = said.get("active")?.as_bool()?;
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let scope = text("scope").unwrap_or_default();
    Some(Standing {
        asked: asked.to_owned(),
        active,
        expires_at: said.get("exp").and_then(Value::as_i64).map(Timestamp::from_secs),
        subject: text("sub"),
        scope: scope.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        session: text("sid"),
        ..Standing::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_read() {
        let said = told(
            "https://a",
            &json!({"active": true, "exp": 1_790_000_000, "scope": "a b", "sub": "u1", "sid": "s1"}),
        )
        .unwrap();
        assert!(said.active && said.scope == ["a", "b"] && said.session.as_deref() == Some("s1"));
        assert_eq!(said.expires_at, Some(Timestamp::from_secs(1_790_000_000)));
        assert!(!told("https://a", &json!({"active": false})).unwrap().active);
        for odd in [json!({}), json!({"active": "yes"}), json!([])] {
            assert_eq!(told("https://a", &odd), None);
        }
    }
}
