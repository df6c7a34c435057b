//! Renewing tokens: how this application does it, and doing it.

use http::Method;
use serde_json::{Map, Value};

use super::common::{REFRESH, is_refresh};
use super::session::Session;
use super::site::Site;
use super::tokens;
use crate::client::{Answer, Ask};
use crate::credential::{Credential, CredentialKind, Place};
use crate::profile::Call;
use crate::scene::{Broken, Scene};

/// How tokens are renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// The request.
    pub call: Call,
    /// Members of the JSON body that carry the token; none where it is a cookie.
    pub fields: Vec<String>,
}

/// What came of renewing.
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// Whether tokens came back, or it was at least not refused.
    pub accepted: bool,
    /// Whether the refresh token is another now.
    pub rotated: bool,
    /// What the server said.
    pub answer: Answer,
}

impl Refresh {
    /// Finds out how tokens are renewed, by doing it once; `None` where nothing that was handed out is a refresh token.
    pub(super) async fn find(
        scene: &Scene,
        site: &Site,
        session: &mut Session,
    ) -> Result<Option<Self>, Broken> {
        let profile = &scene.profile.refresh;
        let Some(token) = session.of_kind(CredentialKind::Refresh).into_iter().next() else {
            return Ok(None);
        };
        let fields = match (&profile.field, &token.place) {
            (Some(field), _) => vec![field.clone()],
            (None, Place::Cookie { .. }) => Vec::new(),
            (None, _) => body_fields(&token),
        };
        for call in calls(scene, site, session, &token) {
            let singles = fields.iter().map(|field| vec![field.clone()]);
            let shapes: Vec<Vec<String>> =
                std::iter::once(fields.clone()).chain(singles.filter(|_| fields.len() > 1)).collect();
            for fields in shapes {
                let refresh = Self { call: call.clone(), fields };
                let Some(ask) = refresh.ask(scene, session) else { continue };
                let Ok(answer) = session.agent.send(ask).await else { break };
                if answer.is_throttled() {
                    return Ok(None);
                }
                if renews(&answer, session) {
                    session.renew(&answer);
                    return Ok(Some(refresh));
                }
                // Only complaints about the body are worth another body.
                if !matches!(answer.status, 400 | 422) {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// The request of a session; `None` if it holds no refresh token.
    #[must_use]
    pub fn ask(&self, scene: &Scene, session: &Session) -> Option<Ask> {
        let token = session.of_kind(CredentialKind::Refresh).into_iter().next()?;
        let url = scene.target.join(&self.call.path)?;
        let ask = Ask::new(self.call.method.clone(), url).headers(session.csrf_headers());
        if self.fields.is_empty() {
            return Some(ask);
        }
        let members: Map<String, Value> = self
            .fields
            .iter()
            .map(|field| (field.clone(), Value::String(token.secret.expose().to_owned())))
            .collect();
        Some(ask.json(&Value::Object(members)))
    }

    /// Renews a session's tokens.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn renew(&self, scene: &Scene, session: &mut Session) -> Result<Refreshed, Broken> {
        let before = session.of_kind(CredentialKind::Refresh);
        let ask = self
            .ask(scene, session)
            .ok_or_else(|| Broken::Unknown("there is no refresh token".to_owned()))?;
        let answer = session.agent.send(ask).await?;
        let accepted = answer.is_success();
        if accepted {
            session.renew(&answer);
        }
        let after = session.of_kind(CredentialKind::Refresh);
        let rotated = before.iter().zip(&after).any(|(before, after)| !before.secret.same(&after.secret));
        Ok(Refreshed { accepted, rotated, answer })
    }

    /// Asks for new tokens and loses the answer on its way.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn lose(&self, scene: &Scene, session: &Session) -> Result<Answer, Broken> {
        let ask = self
            .ask(scene, session)
            .ok_or_else(|| Broken::Unknown("there is no refresh token".to_owned()))?;
        Ok(session.agent.send_apart(ask).await?)
    }
}

fn calls(scene: &Scene, site: &Site, session: &Session, token: &Credential) -> Vec<Call> {
    if let Some(call) = &scene.profile.refresh.request {
        return vec![call.clone()];
    }
    let mut paths = Vec::new();
    // A cookie that goes to one path only says which.
    if let Place::Cookie { name } = &token.place {
        let jar = session.agent.jar();
        paths.extend(
            jar.all()
                .iter()
                .find(|kept| kept.cookie.name == *name && kept.path != "/")
                .map(|kept| kept.path.clone()),
        );
    }
    let documented = site
        .operations
        .iter()
        .filter(|operation| operation.call.method == Method::POST)
        .map(|operation| operation.call.path.clone());
    paths.extend(
        documented.chain(site.hints.resolved()).filter(|path| is_refresh(path) && !path.contains('{')),
    );
    paths.extend(REFRESH.map(str::to_owned));
    let mut calls: Vec<Call> = Vec::new();
    for path in paths {
        let call = Call::new(Method::POST, path);
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}

fn body_fields(token: &Credential) -> Vec<String> {
    let own = match &token.place {
        Place::Json { pointer } => pointer.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => "refresh_token".to_owned(),
    };
    let mut fields = vec![own];
    for name in ["refresh_token", "refreshToken", "refresh", "token"] {
        if !fields.iter().any(|field| field == name) {
            fields.push(name.to_owned());
        }
    }
    fields
}

/// Whether an answer renews anything.
fn renews(answer: &Answer, session: &Session) -> bool {
    if !answer.is_success() {
        return false;
    }
    let cookie = answer.set_cookies.iter().any(|cookie| {
        !cookie.clears()
            && session.held.iter().any(|held| held.place == Place::Cookie { name: cookie.name.clone() })
    });
    let token = tokens::candidates(answer, &session.agent)
        .iter()
        .any(|candidate| matches!(candidate.place, Place::Json { .. } | Place::Header { .. }));
    cookie || token
}
