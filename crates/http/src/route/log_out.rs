//! POST `/auth/logout` and `/auth/logout/all`: the server forgets first, then the browser (D10, J06).

use std::sync::Arc;

use countersign_core::port::Outside;
use http::header::{HeaderName, HeaderValue};

use super::Reply;
use super::call::{Call, Media};
use super::session::no_content;
use crate::credentials::{self, Authorization};
use crate::gateway::see_other;
use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::cookie;

pub(super) async fn here<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    if !matches!(credentials::authorization(&call.parts.headers), Authorization::Absent) {
        let principal = call.principal(&site).await?;
        site.engine.log_out(principal.claims().sid, &call.context).await?;
        return Ok(no_content());
    }
    let jar = call.jar(&site)?;
    let genuine = call.genuine_for_change(&site, &jar).await?;
    site.engine.log_out(genuine.sid, &call.context).await?;
    Ok(site.signed_out(&call))
}

pub(super) async fn everywhere<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    if !matches!(credentials::authorization(&call.parts.headers), Authorization::Absent) {
        let principal = call.principal(&site).await?;
        site.engine.log_out_everywhere(principal.user(), &call.context).await?;
        return Ok(no_content());
    }
    let jar = call.jar(&site)?;
    let genuine = call.genuine_for_change(&site, &jar).await?;
    // A dead session may still leave this browser, but it speaks for no other.
    match site.engine.live_owner(genuine.sid).await? {
        Some(user) => site.engine.log_out_everywhere(&user, &call.context).await?,
        None => site.engine.log_out(genuine.sid, &call.context).await?,
    }
    Ok(site.signed_out(&call))
}

impl<O: Outside> Site<O> {
    fn signed_out(&self, call: &Call) -> Answer {
        let mut answer = if call.media == Media::Form { see_other("/auth/signed-out") } else { no_content() };
        let out = answer.headers_mut();
        cookie::clear_session(out, &self.settings.cookies);
        if self.settings.clear_site_data {
            let value = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
            out.insert(HeaderName::from_static("clear-site-data"), value);
        }
        answer
    }
}
