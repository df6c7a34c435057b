//! POST `/auth/refresh` for scripts, GET `/auth/refresh?return_to=` for page loads.

use std::sync::Arc;

use countersign_core::domain::client::Presenter;
use countersign_core::domain::return_to::ReturnTo;
use countersign_core::domain::rotation::Carrier;
use countersign_core::port::Outside;
use countersign_core::service::Fate;
use http::StatusCode;

use super::call::Call;
use super::refresh_body::RefreshRequest;
use super::{Reply, refresh_body};
use crate::gateway::{bounce_wanted, see_other};
use crate::site::Site;
use crate::wire::problem::{Code, Problem};

pub(super) async fn refresh<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    call.json_only()?;
    let jar = call.jar(&site)?;
    let request = RefreshRequest::read(&call);
    if let Ok(request) = &request
        && request.refresh_token.is_some()
    {
        return refresh_body::refresh(&site, &call, &jar, request).await;
    }
    if !jar.has_session() {
        // Nothing but the body could have said who it is.
        request.as_ref().map_err(Clone::clone)?;
    }
    if let Some(Err(error)) = site.refresh_cookie(&jar) {
        return Err(error.into());
    }
    call.genuine_for_change(&site, &jar).await?;
    let named = request.ok().and_then(|r| r.client_id);
    let presenter = match &named {
        Some(id) => Presenter::CookieOf(site.registered(id)?.id.clone()),
        None => Presenter::Cookie,
    };
    match site.rotate_as(&jar, Carrier::Jar, presenter, &call.context).await {
        Ok(rotated) => {
            let mut answer = site.session_body(&rotated.view, &rotated.tokens);
            site.hand_out(answer.headers_mut(), &rotated);
            Ok(answer)
        }
        Err(problem) => {
            let mut answer = problem.clone().into_answer(&call.client.request);
            site.clear_if_long_dead(answer.headers_mut(), &problem);
            Ok(answer)
        }
    }
}

/// A page load comes here to be refreshed and is sent back to where it wanted to go.
pub(super) async fn page_load<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let wanted = call.query("return_to").unwrap_or_default();
    let target = ReturnTo::parse(&wanted, &site.settings.public_origin);
    let jar = call.jar(&site)?;
    if !jar.has_session() {
        if bounce_wanted(&call.parts, &jar) {
            return Ok(site.bounce(&call.client));
        }
        return Ok(site.to_login(target.as_str()));
    }
    match site.rotate(&jar, Carrier::Jar, &call.context).await {
        Ok(rotated) => {
            let passes = site.returns.admit(rotated.principal.claims().sid, site.engine.now());
            // The page keeps sending it back although it was refreshed: cookies do not stick, or clocks are wrong.
            let mut answer = if passes { see_other(target.as_str()) } else { site.to_login(target.as_str()) };
            site.hand_out(answer.headers_mut(), &rotated);
            Ok(answer)
        }
        Err(problem) if problem.status.is_server_error() => Err(problem),
        Err(problem) => {
            let mut answer = site.to_login(target.as_str());
            site.clear_if_long_dead(answer.headers_mut(), &problem);
            Ok(answer)
        }
    }
}

/// Where a page sends somebody whose access token ran out.
pub(super) fn refresh_location(target: &str) -> String {
    crate::gateway::login_location("/auth/refresh", target)
}

impl<O: Outside> Site<O> {
    /// Whether a page load should go there: to be refreshed, or to have the cookies of a dead session judged and cleared.
    pub(super) async fn refresh_mends(&self, call: &Call, problem: &Problem) -> Result<bool, Problem> {
        match problem.code {
            Code::TokenExpired | Code::SessionRevoked | Code::SessionExpired => Ok(true),
            // An access cookie that nothing reads, or of an audience that is ours no more, says nothing of the session: the refresh
            // cookie does (B12).
            _ if problem.status == StatusCode::UNAUTHORIZED => {
                Ok(self.fate(&call.jar(self)?).await? == Some(Fate::Lives))
            }
            _ => Ok(false),
        }
    }
}
