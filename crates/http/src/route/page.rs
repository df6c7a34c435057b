//! Pages that anybody may open.

use std::sync::Arc;

use countersign_core::domain::policy::SignUp as SignUpMode;
use countersign_core::domain::return_to::ReturnTo;
use countersign_core::port::Outside;
use countersign_core::service::ServiceError;
use http::{HeaderMap, StatusCode};

use super::Reply;
use super::arrival::Arrival;
use super::call::Call;
use crate::credentials::{Genuine, patiently};
use crate::gateway::{bounce_wanted, html, see_other};
use crate::pages::{Confirm, DeadLink, FormSecret, Link, Shell, SignIn, SignUp, SignedOut};
use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};

pub(super) async fn sign_in<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    // A link from another site, a mail's for one, brings no Strict cookie: whoever is signed in would be asked to sign in.
    if bounce_wanted(&call.parts, &jar) {
        return Ok(site.bounce(&call.client));
    }
    // Signed in already, and nobody asked for a fresh sign-in: the account page is what they want.
    if call.query("return_to").is_none() && site.holds_session(&call, &jar).await? {
        return Ok(see_other("/auth/account"));
    }
    let genuine = site.genuine_or_none(&jar).await?;
    site.sign_in_page(&call, &jar, genuine, None).await
}

pub(super) async fn sign_up<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    let genuine = site.genuine_or_none(&jar).await?;
    site.sign_up_page(&call, &jar, genuine, None).await
}

/// Shows a form: opening a link from a mail changes nothing, mail scanners open it too (B08).
pub(super) async fn confirm<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    let code = call.query("code").filter(|c| (20..=128).contains(&c.len()));
    let code = code.ok_or_else(|| {
        Problem::new(Code::InvalidRequest, "The link is incomplete. Copy all of it from the mail.")
    })?;
    let genuine = site.genuine_or_none(&jar).await?;
    site.confirm_page(&call, &jar, genuine, &code, None).await
}

pub(super) async fn signed_out<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    // A link from another site brings no Strict cookie: "you are signed out" might be false.
    if bounce_wanted(&call.parts, &jar) {
        return Ok(site.bounce(&call.client));
    }
    if site.holds_session(&call, &jar).await? {
        return Ok(see_other("/auth/account"));
    }
    let nonce = site.nonce();
    Ok(html(StatusCode::OK, &SignedOut { shell: site.shell(&nonce, &call, None) }, &nonce))
}

impl<O: Outside> Site<O> {
    /// The frame of a page.
    pub(super) fn shell<'a>(&'a self, nonce: &'a str, call: &'a Call, email: Option<&'a str>) -> Shell<'a> {
        Shell {
            nonce,
            request_id: call.client.request.as_str(),
            product: &self.settings.product,
            signed_in_email: email,
        }
    }

    /// The `return_to` of a page, checked (K08); empty for the start page.
    fn page_return_to(&self, call: &Call) -> String {
        let wanted = call.field("return_to").or_else(|| call.query("return_to")).unwrap_or_default();
        let target = ReturnTo::parse(&wanted, &self.settings.public_origin);
        if target == ReturnTo::default() { String::new() } else { target.as_str().to_owned() }
    }

    /// The sign-in page: with why they come here, if the server knows, and with what went wrong, if something did.
    pub(super) async fn sign_in_page(
        &self,
        call: &Call,
        jar: &Jar,
        genuine: Option<Genuine>,
        failed: Option<(&str, &Problem)>,
    ) -> Reply {
        let nonce = self.nonce();
        let mut cookies = HeaderMap::new();
        let csrf = self.csrf_token(genuine, jar, &mut cookies);
        let return_to = self.page_return_to(call);
        let arrival = self.arrival(call, jar, &return_to).await?;
        let confirms = match &arrival {
            Arrival::SignedIn { principal, older_than: Some(_) } => Some(principal.email().as_str()),
            _ => None,
        };
        let page = SignIn {
            shell: self.shell(&nonce, call, None),
            csrf: FormSecret::new(csrf.expose()),
            return_to: &return_to,
            email: failed.map_or_else(|| confirms.unwrap_or_default(), |(email, _)| email),
            notice: self.greeting(&arrival, &return_to),
            confirms: confirms.is_some(),
            form_error: failed.map(|(_, problem)| problem.detail.as_str()),
            email_error: None,
            password_error: None,
            signup_open: self.sign_up_is_open(),
        };
        Ok(finish(html(StatusCode::OK, &page, &nonce), cookies, failed.map(|(_, problem)| problem)))
    }

    /// The sign-up page, with what went wrong if something did.
    pub(super) async fn sign_up_page(
        &self,
        call: &Call,
        jar: &Jar,
        genuine: Option<Genuine>,
        failed: Option<(&str, &Problem)>,
    ) -> Reply {
        let by_invitation = self.engine.policy().sign_up == SignUpMode::Invite;
        let invitation = call.invitation().filter(|_| by_invitation);
        if !self.sign_up_is_open() && invitation.is_none() {
            return Err(Problem::new(
                Code::SignupClosed,
                "New accounts are made by invitation or by an operator.",
            ));
        }
        if let Some(code) = &invitation {
            // Said before anybody chooses a password for nothing. Whoever can ask holds 256 random bits.
            let stands = patiently(self.engine.invitation_stands(code), ServiceError::Store).await;
            if !stands.map_err(|e| Problem::from(&e))? {
                return Ok(self.dead_invitation(call));
            }
        }
        let nonce = self.nonce();
        let mut cookies = HeaderMap::new();
        let csrf = self.csrf_token(genuine, jar, &mut cookies);
        let return_to = self.page_return_to(call);
        let error = |code: Code| failed.filter(|(_, p)| p.code == code).map(|(_, p)| p.detail.as_str());
        let page = SignUp {
            shell: self.shell(&nonce, call, None),
            csrf: FormSecret::new(csrf.expose()),
            return_to: &return_to,
            invitation: invitation.as_deref().map(FormSecret::new),
            email: failed.map_or("", |(email, _)| email),
            min_password: self.engine.policy().password.minimum(),
            form_error: failed
                .filter(|(_, p)| {
                    !matches!(p.code, Code::PasswordTooWeak | Code::InvalidRequest | Code::SignupClosed)
                })
                .map(|(_, p)| p.detail.as_str()),
            // The invitation stands, so it is the address that it is not for.
            email_error: error(Code::SignupClosed)
                .map(|_| "The invitation is for another address. Use the one that it was sent to.")
                .or_else(|| error(Code::InvalidRequest)),
            password_error: error(Code::PasswordTooWeak),
        };
        Ok(finish(html(StatusCode::OK, &page, &nonce), cookies, failed.map(|(_, problem)| problem)))
    }

    /// The page behind the link of a sign-up mail, with what was wrong with the password if something was.
    pub(super) async fn confirm_page(
        &self,
        call: &Call,
        jar: &Jar,
        genuine: Option<Genuine>,
        code: &str,
        failed: Option<&Problem>,
    ) -> Reply {
        let email = patiently(self.engine.confirmable(code), ServiceError::Store).await;
        let Some(email) = email.map_err(|e| Problem::from(&e))? else {
            return Ok(self.dead_sign_up(call, &Problem::new(Code::InvalidRequest, "")));
        };
        let nonce = self.nonce();
        let mut cookies = HeaderMap::new();
        let csrf = self.csrf_token(genuine, jar, &mut cookies);
        let page = Confirm {
            shell: self.shell(&nonce, call, None),
            csrf: FormSecret::new(csrf.expose()),
            code: FormSecret::new(code),
            email: email.as_str(),
            password_error: failed.map(|problem| problem.detail.as_str()),
        };
        Ok(finish(html(StatusCode::OK, &page, &nonce), cookies, failed))
    }

    /// The page for the link of a sign-up mail that no longer works.
    pub(super) fn dead_sign_up(&self, call: &Call, problem: &Problem) -> Answer {
        let link = DeadLinkText {
            title: "This link no longer works",
            happened: "It was used already, or is too old. A link from a mail works once.",
            remedy: "If you confirmed your address with it, sign in. Otherwise sign up again to get a new one.",
            action: Link { href: "/auth/login", label: "Sign in" },
        };
        self.dead_link(call, problem, &link)
    }

    fn dead_invitation(&self, call: &Call) -> Answer {
        let problem = Problem::new(Code::SignupClosed, "");
        let link = DeadLinkText {
            title: "This invitation no longer works",
            happened: "It was used already, is too old, or was replaced by a newer one. An invitation works once.",
            remedy: "If you made your account with it, sign in. Otherwise ask whoever invited you for a new one.",
            action: Link { href: "/auth/login", label: "Sign in" },
        };
        self.dead_link(call, &problem, &link)
    }

    /// A page about a link from a mail that no longer works, with the status of the problem.
    pub(super) fn dead_link(&self, call: &Call, problem: &Problem, text: &DeadLinkText) -> Answer {
        let nonce = self.nonce();
        let &DeadLinkText { title, happened, remedy, action } = text;
        let page = DeadLink { shell: self.shell(&nonce, call, None), title, happened, remedy, action };
        finish(html(problem.status, &page, &nonce), HeaderMap::new(), Some(problem))
    }

    fn sign_up_is_open(&self) -> bool {
        matches!(self.engine.policy().sign_up, SignUpMode::Mailed | SignUpMode::Immediate)
    }
}

/// What a dead link's page says.
pub(super) struct DeadLinkText {
    pub(super) title: &'static str,
    pub(super) happened: &'static str,
    pub(super) remedy: &'static str,
    pub(super) action: Link<'static>,
}

fn finish(mut answer: Answer, cookies: HeaderMap, failed: Option<&Problem>) -> Answer {
    let kind = answer.headers().get(http::header::CONTENT_TYPE).cloned();
    if let Some(problem) = failed {
        problem.dress(&mut answer);
    }
    if let Some(kind) = kind {
        answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    }
    answer.headers_mut().extend(cookies);
    answer
}
