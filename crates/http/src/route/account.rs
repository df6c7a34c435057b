//! `/auth/account`: my sessions and my password (D12).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::csrf::{Binding, token};
use countersign_core::domain::id::PublicId;
use countersign_core::domain::password::Password;
use countersign_core::domain::secret::equal;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Outside;
use countersign_core::service::{ChangePassword, Ending, PastSession, SessionPrincipal};
use http::StatusCode;

use super::call::Call;
use super::{Reply, describe, ending, refresh};
use crate::gateway::{bounce_wanted, html, see_other};
use crate::pages::{Account, EndedView, FormSecret, Link, Notice, SessionView};
use crate::site::Site;
use crate::wire::problem::{self, Code, Problem};

const PATH: &str = "/auth/account";
/// Ended sessions that are listed; thefts beyond that, all of them.
const LISTED: usize = 10;
/// How long a theft stands at the top of the page.
const ALARM: Duration = Duration::from_secs(7 * 86_400);

pub(super) async fn show<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    match call.principal(&site).await {
        Ok(principal) => site.account_page(&call, &principal, None).await,
        Err(problem) if problem.status.is_server_error() || !call.is_document() => Err(problem),
        Err(problem) if site.refresh_mends(&call, &problem).await? => {
            Ok(see_other(&refresh::refresh_location(PATH)))
        }
        Err(problem) => {
            if bounce_wanted(&call.parts, &call.jar(&site)?) {
                return Ok(site.bounce(&call.client));
            }
            let mut answer = site.to_login(PATH);
            site.clear_if_long_dead(answer.headers_mut(), &problem);
            Ok(answer)
        }
    }
}

pub(super) async fn end_one<O: Outside>(site: Arc<Site<O>>, mut call: Call) -> Reply {
    let principal = match call.principal_for_change(&site).await {
        Err(problem) if site.refresh_mends(&call, &problem).await? => {
            return Ok(see_other(&refresh::refresh_location(PATH)));
        }
        other => other?,
    };
    if let Some(id) = call.parameter().await.and_then(|id| PublicId::parse(&id)) {
        // Not theirs or already gone: the list that follows shows what is left either way.
        site.engine.end_own_session(principal.user(), &id, &call.context).await?;
    }
    Ok(see_other("/auth/account?done=session-ended"))
}

pub(super) async fn end_others<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let principal = match call.principal_for_change(&site).await {
        Err(problem) if site.refresh_mends(&call, &problem).await? => {
            return Ok(see_other(&refresh::refresh_location(PATH)));
        }
        other => other?,
    };
    site.engine.end_other_sessions(principal.user(), principal.claims().sid, &call.context).await?;
    Ok(see_other("/auth/account?done=others-ended"))
}

pub(super) async fn change_password<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let principal = match call.principal_for_change(&site).await {
        Err(problem) if site.refresh_mends(&call, &problem).await? => {
            return Ok(see_other(&refresh::refresh_location(PATH)));
        }
        other => other?,
    };
    let jar = call.jar(&site)?;
    let current = call.field("current_password").and_then(|p| Password::parse(&p).ok());
    let device = site.device(&jar);
    let changed = match Password::parse(&call.field("new_password").unwrap_or_default()) {
        Ok(new)
            if current.as_ref().is_some_and(|c| equal(c.expose().as_bytes(), new.expose().as_bytes())) =>
        {
            Err(Problem::new(Code::PasswordTooWeak, "This is your current password; choose another."))
        }
        Ok(new) => {
            let request =
                ChangePassword { current: current.as_ref(), new: &new, device_cookie: Some(&device) };
            let changed = site.engine.change_password(&principal, &request, &call.context).await;
            changed.map_err(|e| problem::change_password(e, site.engine.now()))
        }
        Err(error) => Err(Problem::new(Code::PasswordTooWeak, format!("{error}."))),
    };
    match changed {
        Ok(opened) => {
            let mut answer = see_other("/auth/account?done=password-changed");
            site.entry_cookies(answer.headers_mut(), &jar, &opened, &device);
            Ok(answer)
        }
        Err(problem) if problem.status.is_server_error() => Err(problem),
        Err(problem) if problem.code == Code::SessionRevoked => {
            Ok(see_other(&refresh::refresh_location(PATH)))
        }
        Err(problem) => site.account_page(&call, &principal, Some(&problem)).await,
    }
}

impl<O: Outside> Site<O> {
    async fn account_page(
        &self,
        call: &Call,
        principal: &SessionPrincipal,
        failed: Option<&Problem>,
    ) -> Reply {
        let now = self.engine.now();
        let mut sessions = self.engine.live_sessions(principal.user()).await?;
        let own = principal.claims().sid;
        sessions.sort_by_key(|s| (s.sid != own, std::cmp::Reverse(s.seen_at)));
        let sessions = sessions
            .iter()
            .map(|s| SessionView {
                public_id: s.public_id.as_str().to_owned(),
                device: describe::device(&s.device.user_agent),
                address: address(s.device.ip),
                created: describe::moment(s.created_at, now),
                last_seen: describe::moment(s.seen_at, now),
                current: s.sid == own,
                bound: false,
            })
            .collect();
        let past = self.engine.past_sessions(principal.user()).await?;
        let csrf = token(self.engine.keyring(), Binding::Session(own), self.engine.random16());
        let nonce = self.nonce();
        let weak = failed.filter(|p| p.code == Code::PasswordTooWeak).map(|p| p.detail.as_str());
        let page = Account {
            shell: self.shell(&nonce, call, Some(principal.email().as_str())),
            csrf: FormSecret::new(csrf.as_ref().map_or("", |t| t.expose())),
            email: principal.email().as_str(),
            email_verified: principal.verified_email().is_some(),
            sessions,
            ended: ended(&past, now),
            alarm: alarm(&past, now),
            notice: notice(call.query("done").as_deref()),
            current_password_error: failed.filter(|_| weak.is_none()).map(|p| match p.code {
                Code::InvalidCredentials => "This is not your current password.",
                _ => p.detail.as_str(),
            }),
            new_password_error: weak,
            min_password: self.engine.policy().password.minimum(),
        };
        let mut answer = html(StatusCode::OK, &page, &nonce);
        if let Some(problem) = failed {
            *answer.status_mut() = match problem.code {
                Code::RateLimited => problem.status,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            if let Some(after) = problem.retry_after {
                answer.headers_mut().insert(http::header::RETRY_AFTER, after.as_secs().max(1).into());
            }
        }
        Ok(answer)
    }
}

fn notice(done: Option<&str>) -> Option<&'static str> {
    match done? {
        "session-ended" => Some("The session was ended."),
        "others-ended" => Some("All other sessions were ended."),
        "password-changed" => Some("Your password was changed. All other sessions were ended."),
        _ => None,
    }
}

fn address(ip: Option<IpAddr>) -> String {
    ip.map_or_else(|| String::from("unknown"), |ip| ip.to_string())
}

fn ended_by(past: &PastSession, reason: EndReason) -> bool {
    matches!(past.ending, Ending::Ended(ended) if ended.reason == reason)
}

/// A flood of sign-ins, which somebody who knows the password can cause, must not push a theft off the list.
fn ended(past: &[PastSession], now: Timestamp) -> Vec<EndedView> {
    let told = past.iter().filter(|p| !ended_by(p, EndReason::Replaced));
    let listed = told.enumerate().filter(|(n, p)| *n < LISTED || ended_by(p, EndReason::Reuse));
    listed
        .map(|(_, p)| EndedView {
            device: describe::device(&p.session.device.user_agent),
            address: address(p.session.device.ip),
            ended: describe::moment(p.ending.at(), now),
            reason: ending::reason(&p.ending),
            stolen: ended_by(p, EndReason::Reuse),
        })
        .collect()
}

/// The last theft, if it is recent, and until the password was changed.
fn alarm(past: &[PastSession], now: Timestamp) -> Option<Notice<'static>> {
    let theft =
        past.iter().find(|p| ended_by(p, EndReason::Reuse)).filter(|p| now.since(p.ending.at()) < ALARM)?;
    // Newest first: what stands before the theft ended after it.
    if past
        .iter()
        .take_while(|p| !ended_by(p, EndReason::Reuse))
        .any(|p| ended_by(p, EndReason::PasswordChanged))
    {
        return None;
    }
    let device = describe::device(&theft.session.device.user_agent);
    Some(Notice {
        grave: true,
        happened: format!(
            "A copy of your sign-in was used somewhere else, so we ended that session; {device} used it last"
        ),
        when: Some(describe::moment(theft.ending.at(), now)),
        advice: String::from("Sign out below what is not yours. If somebody may know your password,"),
        link: Some(Link { href: "#password-title", label: "change it" }),
    })
}
