//! POST `/auth/refresh` with a refresh token in the body: native applications (design §7).

use countersign_core::domain::client::{Presenter, Transport};
use countersign_core::domain::rotation::Carrier;
use countersign_core::port::Outside;
use serde::Deserialize;

use super::Reply;
use super::call::{Call, Media};
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};

/// What a refresh may say. No Debug: it holds a token.
#[derive(Deserialize, Default)]
pub(super) struct RefreshRequest {
    pub(super) refresh_token: Option<String>,
    pub(super) client_id: Option<String>,
}

impl RefreshRequest {
    /// From the JSON body, if there is one.
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        if call.media == Media::None || call.body.is_empty() { Ok(Self::default()) } else { call.json() }
    }
}

/// Renews a session whose tokens live in bodies. Sets and clears no cookie.
pub(super) async fn refresh<O: Outside>(
    site: &Site<O>,
    call: &Call,
    jar: &Jar,
    request: &RefreshRequest,
) -> Reply {
    let invalid = |what: &str| Problem::new(Code::InvalidRequest, what);
    if jar.has_strict() {
        // Which of the two was meant? A page that plays both roles would put a token within reach of script.
        return Err(invalid("Send the refresh token in the body or in the cookie, not both."));
    }
    call.native(site)?;
    let (Some(token), Some(id)) = (&request.refresh_token, &request.client_id) else {
        return Err(invalid("Send refresh_token and client_id."));
    };
    let client = site.registered(id)?;
    if client.transport != Transport::Body {
        return Err(invalid("This client keeps its refresh token in the cookie."));
    }
    let presenter = Presenter::Body(client.id.clone());
    let rotated = site.rotate_token(token, Carrier::Jar, presenter, &call.context).await?;
    if !site.engine.still_stands(&rotated.principal) {
        return Err(Problem::new(Code::SessionRevoked, "The session was ended. Sign in again."));
    }
    Ok(site.session_body(&rotated.view, &rotated.tokens))
}
