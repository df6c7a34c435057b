//! POST `/auth/sessions`: an application that logs users in itself opens a session (design §7).

use std::net::IpAddr;
use std::sync::Arc;

use countersign_core::domain::api_key::MachineScope;
use countersign_core::domain::device::Device;
use countersign_core::domain::id::UserId;
use countersign_core::domain::identity::Identity;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::Email;
use countersign_core::port::Outside;
use countersign_core::service::{NamedUser, OpenFor};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::Reply;
use super::call::{Call, Media};
use super::log_in::no_body;
use crate::site::Site;
use crate::wire::problem::{Code, Problem};

/// Most values of `amr`.
const MOST_AMR: usize = 8;

/// Unknown members are refused: a misspelt `auth_time` would make an old login a fresh one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenRequest {
    user: UserPart,
    #[serde(default)]
    amr: Vec<String>,
    auth_time: Option<String>,
    scope: Option<String>,
    ip: Option<IpAddr>,
    #[serde(default)]
    user_agent: String,
    /// A code for the gateway in place of cookies.
    #[serde(default)]
    handover: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserPart {
    id: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    iss: Option<String>,
    sub: Option<String>,
}

fn invalid(what: &str) -> Problem {
    Problem::new(Code::InvalidRequest, what)
}

impl UserPart {
    fn read(&self) -> Result<NamedUser, Problem> {
        let email = self.email.as_deref().map(Email::parse).transpose();
        let email = email.map_err(|error| invalid(&format!("The address is {error}.")))?;
        match (&self.id, email, &self.iss, &self.sub) {
            (Some(id), None, None, None) => {
                UserId::parse(id).map(NamedUser::Id).ok_or_else(|| invalid("user.id is not one of our ids."))
            }
            (None, email, Some(iss), Some(sub)) => match Identity::parse(iss, sub) {
                Some(identity) => Ok(NamedUser::Identity(identity, email)),
                None => Err(invalid("user.iss and user.sub are 1 to 255 bytes without control characters.")),
            },
            (None, Some(email), None, None) if self.email_verified => Ok(NamedUser::VerifiedEmail(email)),
            (None, Some(_), None, None) => Err(invalid(
                "An address that you have not verified may be somebody else's. Verify it and send email_verified: true, or name the user by id.",
            )),
            _ => Err(invalid("Name the user by id, by email, or by iss and sub.")),
        }
    }
}

impl OpenRequest {
    fn read(self) -> Result<OpenFor, Problem> {
        let word = |w: &String| {
            (1..=32).contains(&w.len())
                && w.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
        };
        if self.amr.len() > MOST_AMR || !self.amr.iter().all(word) {
            return Err(invalid("amr is a list of at most 8 words such as \"pwd\" (RFC 8176)."));
        }
        let auth_time = match &self.auth_time {
            Some(text) => Some(
                Timestamp::parse_rfc3339(text)
                    .ok_or_else(|| invalid("auth_time is no instant such as 2026-09-21T14:13:20Z."))?,
            ),
            None => None,
        };
        let scope = self.scope.as_deref().map(ScopeSet::parse).transpose();
        Ok(OpenFor {
            user: self.user.read()?,
            amr: self.amr.into_iter().map(Into::into).collect(),
            auth_time,
            scope: scope.map_err(|error| invalid(&format!("{error}.")))?,
            device: Device::new(self.ip, &self.user_agent),
        })
    }
}

pub(super) async fn open<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    call.json_only()?;
    if call.media == Media::None {
        return Err(no_body());
    }
    let key = site.service_key(&call.parts.headers, MachineScope::OpenSessions, &call.context).await?;
    if key.scope().iter().count() != 1 {
        // Made so by an operator, or not at all; a key that can do this must be good for nothing else.
        return Err(Problem::new(Code::InsufficientScope, "sessions:open must be the key's only scope."));
    }
    let request = call.json::<OpenRequest>()?;
    let by_gateway = request.handover;
    let opened = site.engine.open_for(&key, &request.read()?, &call.context).await?;
    if by_gateway {
        let code = site.engine.hand_over_code(&opened, &key)?;
        let mut answer = site.opened_body(&opened, &[], Some(code.expose()));
        *answer.status_mut() = StatusCode::CREATED;
        return Ok(answer);
    }
    let mut headers = HeaderMap::new();
    site.set_session_cookies(&mut headers, &opened.tokens, &opened.view);
    let cookies: Vec<&str> = headers.get_all(SET_COOKIE).iter().filter_map(|v| v.to_str().ok()).collect();
    // In the body and not as Set-Cookie: a client of the application's that keeps cookies would mix its users up (J07).
    let mut answer = site.opened_body(&opened, &cookies, None);
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}
