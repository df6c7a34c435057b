//! Pages that anybody may open.

use std::sync::Arc;

use countersign_core::domain::policy::SignUp as SignUpMode;
use countersign_core::domain::return_to::ReturnTo;
use countersign_core::port::Outside;
use http::{HeaderMap, StatusCode};

use super::Reply;
use super::call::Call;
use crate::credentials::Genuine;
use crate::gateway::{html, see_other};
use crate::pages::{Confirm, FormSecret, Shell, SignIn, SignUp, SignedOut};
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};

pub(super) async fn sign_in<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    // Signed in already, and nobody asked for a fresh sign-in: the account page is what they want.
    if call.query("return_to").is_none()
        && let Some(Ok(_)) = site.access_cookie(&jar, &call.context).await
    {
        return Ok(see_other("/auth/account"));
    }
    let genuine = site.genuine_or_none(&jar).await?;
    site.sign_in_page(&call, &jar, genuine, None)
}

pub(super) async fn sign_up<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    let genuine = site.genuine_or_none(&jar).await?;
    site.sign_up_page(&call, &jar, genuine, None)
}

/// Shows a button: opening a link from a mail changes nothing, mail scanners open it too (B08).
pub(super) async fn confirm<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    let code = call.query("code").filter(|c| (20..=128).contains(&c.len()));
    let code = code.ok_or_else(|| {
        Problem::new(Code::InvalidRequest, "The link is incomplete. Copy all of it from the mail.")
    })?;
    let genuine = site.genuine_or_none(&jar).await?;
    let nonce = site.nonce();
    let mut cookies = HeaderMap::new();
    let csrf = site.csrf_token(genuine, &jar, &mut cookies);
    let page = Confirm {
        shell: site.shell(&nonce, &call, None),
        csrf: FormSecret::new(csrf.expose()),
        code: FormSecret::new(&code),
    };
    let mut answer = html(StatusCode::OK, &page, &nonce);
    answer.headers_mut().extend(cookies);
    Ok(answer)
}

pub(super) async fn signed_out<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let nonce = site.nonce();
    let everywhere = call.query("everywhere").is_some();
    Ok(html(StatusCode::OK, &SignedOut { shell: site.shell(&nonce, &call, None), everywhere }, &nonce))
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

    /// The sign-in page, with what went wrong if something did.
    pub(super) fn sign_in_page(
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
        let page = SignIn {
            shell: self.shell(&nonce, call, None),
            csrf: FormSecret::new(csrf.expose()),
            return_to: &return_to,
            email: failed.map_or("", |(email, _)| email),
            notice: None,
            form_error: failed.map(|(_, problem)| problem.detail.as_str()),
            email_error: None,
            password_error: None,
            signup_open: self.sign_up_is_open(),
        };
        Ok(finish(html(StatusCode::OK, &page, &nonce), cookies, failed.map(|(_, problem)| problem)))
    }

    /// The sign-up page, with what went wrong if something did.
    pub(super) fn sign_up_page(
        &self,
        call: &Call,
        jar: &Jar,
        genuine: Option<Genuine>,
        failed: Option<(&str, &Problem)>,
    ) -> Reply {
        // Whether it is good is said to whoever chooses a password: opening a link changes nothing and tells nothing (B08).
        let by_invitation = self.engine.policy().sign_up == SignUpMode::Invite;
        let invitation = call.invitation().filter(|_| by_invitation);
        if !self.sign_up_is_open() && invitation.is_none() {
            return Err(Problem::new(
                Code::SignupClosed,
                "New accounts are made by invitation or by an operator.",
            ));
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
                .filter(|(_, p)| !matches!(p.code, Code::PasswordTooWeak | Code::InvalidRequest))
                .map(|(_, p)| p.detail.as_str()),
            email_error: error(Code::InvalidRequest),
            password_error: error(Code::PasswordTooWeak),
        };
        Ok(finish(html(StatusCode::OK, &page, &nonce), cookies, failed.map(|(_, problem)| problem)))
    }

    fn sign_up_is_open(&self) -> bool {
        matches!(self.engine.policy().sign_up, SignUpMode::Mailed | SignUpMode::Immediate)
    }
}

fn finish(
    mut answer: crate::wire::body::Answer,
    cookies: HeaderMap,
    failed: Option<&Problem>,
) -> crate::wire::body::Answer {
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
