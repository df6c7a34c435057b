//! POST `/auth/signup` and `/auth/confirm`.

use std::sync::Arc;

use countersign_core::domain::password::Password;
use countersign_core::domain::user::Email;
use countersign_core::port::Outside;
use countersign_core::service::{Confirm, ConfirmError, SignUpOutcome, SignUpRequest};
use http::StatusCode;
use serde::Deserialize;

use super::Reply;
use super::call::{Call, Media};
use super::client::Entry;
use super::log_in::Credentials;
use crate::gateway::html;
use crate::pages::{CheckMail, Confirmed};
use crate::site::Site;
use crate::wire::problem::{self, Code, Problem};

pub(super) async fn sign_up<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    Credentials::expected(&call)?;
    let client = site.named_client(&call)?;
    let Entry { jar, genuine } = site.entry(&call, client).await?;
    let credentials = Credentials::read(&call)?;
    let told = if call.media == Media::Json { call.json::<Invited>()?.invitation } else { None };
    let invitation = told.or_else(|| call.invitation());
    let outcome = match (Email::parse(&credentials.email), Password::parse(&credentials.password)) {
        (Ok(email), Ok(password)) => {
            let request = SignUpRequest {
                email: &email,
                password: &password,
                invitation: invitation.as_deref(),
                replaces: site.replaced(genuine, client),
                client,
            };
            site.engine
                .sign_up(&request, &call.context)
                .await
                .map_err(|e| problem::sign_up(e, site.engine.now()))
        }
        (Err(error), _) => Err(Problem::new(Code::InvalidRequest, format!("The address is {error}."))),
        (_, Err(error)) => Err(Problem::new(Code::PasswordTooWeak, format!("{error}."))),
    };
    match outcome {
        Ok(SignUpOutcome::Opened(opened)) => {
            Ok(site.signed_in(&call, &jar, &opened, &site.device(&jar), StatusCode::CREATED))
        }
        Ok(SignUpOutcome::Mailed) => {
            if call.media == Media::Form {
                let nonce = site.nonce();
                let page =
                    CheckMail { shell: site.shell(&nonce, &call, None), email: credentials.email.trim() };
                return Ok(html(StatusCode::ACCEPTED, &page, &nonce));
            }
            let mut answer = super::session::json(&serde_json::json!({ "status": "mail_sent" }));
            *answer.status_mut() = StatusCode::ACCEPTED;
            Ok(answer)
        }
        Err(problem) if call.media == Media::Form => {
            site.sign_up_page(&call, &jar, genuine, Some((&credentials.email, &problem))).await
        }
        Err(problem) => Err(problem),
    }
}

/// What a JSON body may hold besides the credentials.
#[derive(Deserialize)]
struct Invited {
    invitation: Option<String>,
}

impl Call {
    /// The code of an invitation: in our form, or in the link that brought the caller here.
    pub(super) fn invitation(&self) -> Option<String> {
        let whole = |code: &String| (20..=128).contains(&code.len());
        let posted = self.field("invitation").filter(|_| self.media == Media::Form);
        posted.filter(whole).or_else(|| self.query("invitation").filter(whole))
    }
}

/// Redeems the code of a mail. The link itself only shows a form: opening it changes nothing (B08).
pub(super) async fn confirm<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    let genuine = site.genuine_or_none(&jar).await?;
    site.check_entry_csrf(genuine, &jar, call.csrf(&site).as_deref(), &call.context)?;
    let code = call.field("code").unwrap_or_default();
    let password = Password::parse(&call.field("password").unwrap_or_default()).ok();
    let request = Confirm { code: &code, password: password.as_ref() };
    if let Err(error) = site.engine.confirm(&request, &call.context).await {
        let retriable = matches!(error, ConfirmError::WrongPassword | ConfirmError::RateLimited { .. });
        let dead = matches!(error, ConfirmError::Unknown);
        let problem = problem::confirm(error, site.engine.now());
        return match call.media {
            Media::Form if dead => Ok(site.dead_sign_up(&call, &problem)),
            Media::Form if retriable => site.confirm_page(&call, &jar, genuine, &code, Some(&problem)).await,
            _ => Err(problem),
        };
    }
    let nonce = site.nonce();
    Ok(html(StatusCode::OK, &Confirmed { shell: site.shell(&nonce, &call, None) }, &nonce))
}
