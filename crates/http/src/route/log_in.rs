//! POST `/auth/login`: JSON from scripts, a form from our page.

use std::sync::Arc;

use countersign_core::domain::base62;
use countersign_core::domain::client::{Client, Transport};
use countersign_core::domain::cookie::{CookieKind, DEVICE_TTL};
use countersign_core::domain::id::Sid;
use countersign_core::domain::password::Password;
use countersign_core::domain::return_to::ReturnTo;
use countersign_core::domain::user::Email;
use countersign_core::port::Outside;
use countersign_core::service::{LogIn, Opened};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::Reply;
use super::call::{Call, Media};
use super::client::Entry;
use crate::credentials::Genuine;
use crate::gateway::see_other;
use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::cookie::{self, Jar};
use crate::wire::problem::{self, Code, Problem};

#[derive(Deserialize)]
pub(super) struct Credentials {
    pub(super) email: String,
    pub(super) password: String,
}

impl Credentials {
    /// Refuses a call without a body: its content type comes before everything else in the order of checks.
    pub(super) fn expected(call: &Call) -> Result<(), Problem> {
        if call.media == Media::None { Err(no_body()) } else { Ok(()) }
    }

    /// From the JSON body or the form. Comes after the CSRF token: what is wrong with a body is part of the verdict.
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        match call.media {
            Media::Json => call.json(),
            Media::Form => Ok(Self {
                email: call.field("email").unwrap_or_default(),
                password: call.field("password").unwrap_or_default(),
            }),
            Media::None => Err(no_body()),
        }
    }
}

pub(super) fn no_body() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "Send the body as application/json.")
}

pub(super) async fn log_in<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    Credentials::expected(&call)?;
    let client = site.named_client(&call)?;
    let Entry { jar, genuine } = site.entry(&call, client).await?;
    let credentials = Credentials::read(&call)?;
    let (email, password) =
        (Email::parse(&credentials.email).ok(), Password::parse(&credentials.password).ok());
    let device = site.device(&jar);
    let request = LogIn {
        email: email.as_ref(),
        password: password.as_ref(),
        device_cookie: Some(&device),
        replaces: site.replaced(genuine, client),
        client,
    };
    match site.engine.log_in(&request, &call.context).await {
        Ok(opened) => Ok(site.signed_in(&call, &jar, &opened, &device, StatusCode::OK)),
        Err(error) => {
            let problem = problem::log_in(error, site.engine.now());
            if call.media == Media::Form {
                return site.sign_in_page(&call, &jar, genuine, Some((&credentials.email, &problem))).await;
            }
            Err(problem)
        }
    }
}

impl<O: Outside> Site<O> {
    /// The answer that opens a session: the body for scripts, a redirect for pages, and the cookies for both.
    pub(super) fn signed_in(
        &self,
        call: &Call,
        jar: &Jar,
        opened: &Opened,
        device: &str,
        status: StatusCode,
    ) -> Answer {
        let mut answer = if call.media == Media::Form {
            let target = call.field("return_to").unwrap_or_default();
            see_other(ReturnTo::parse(&target, &self.settings.public_origin).as_str())
        } else {
            let mut answer = self.session_body(&opened.view, &opened.tokens);
            *answer.status_mut() = status;
            answer
        };
        // A native application has no jar, and the browser that asks in its name keeps the session that it has.
        if self.transport(&opened.view) != Some(Transport::Body) {
            self.entry_cookies(answer.headers_mut(), jar, opened, device);
        }
        answer
    }

    /// The session that a new one takes the place of: the browser's own, if the new one will live there.
    pub(super) fn replaced(&self, genuine: Option<Genuine>, client: Option<&Client>) -> Option<Sid> {
        let native = client.is_some_and(|c| c.transport == Transport::Body);
        genuine.filter(|_| !native).map(|g| g.sid)
    }

    /// The value of the browser's device cookie, or a fresh one for a browser without: chosen before the password is checked, so
    /// that the first sign-in already makes the device a known one (F07).
    pub(super) fn device(&self, jar: &Jar) -> String {
        let known = jar.value(CookieKind::Device).filter(|d| d.len() == 22);
        known.map_or_else(|| base62::encode(&self.engine.random16(), 22), str::to_owned)
    }

    /// Session and device cookies; the pre-session ends here (C09), and what is kept of an earlier session.
    pub(super) fn entry_cookies(&self, out: &mut HeaderMap, jar: &Jar, opened: &Opened, device: &str) {
        self.set_session_cookies(out, &opened.tokens, &opened.view);
        let cookies = &self.settings.cookies;
        for over in [CookieKind::PreSession, CookieKind::Farewell] {
            if jar.value(over).is_some() {
                cookie::clear(out, cookies, over);
            }
        }
        if jar.value(CookieKind::Device) != Some(device) {
            cookie::set(out, cookies, CookieKind::Device, device, DEVICE_TTL);
        }
    }
}
