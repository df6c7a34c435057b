//! A session that the application opened, handed over on its answer (design §7 `POST /auth/sessions`; ADR 13).
//!
//! Who decides what: the code says which session, and that it was opened with a key; the configuration says whose key counts for this
//! upstream; the request says whether a person at our own pages asked for it. Without the last, a page of another site could post
//! somebody else's password to the application's login, and leave the visitor signed in as its author (login CSRF).

use countersign_core::domain::event::EventName;
use countersign_core::domain::isolation::Isolation;
use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_core::port::Outside;
use countersign_core::service::{Context, NewEvent, Opened, Principal, TakeOverError};
use http::header::{HeaderMap, HeaderName};
use http::request::Parts;

use super::{Admitted, is_unsafe};
use crate::site::{Site, SiteUpstream};
use crate::wire::problem::{Code, Problem};
use crate::wire::request::provenance;

/// Carries the code from the application to the gateway, and no further.
pub(super) const CODE: HeaderName = HeaderName::from_static("countersign-session");

/// Whether a request may end in a new session for its browser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SignIn {
    /// No upstream of this route hands sessions over, or the route reads no cookies.
    Never,
    /// Sent by our own pages, to change something.
    Asked,
    /// Another site may have caused it.
    Foreign,
}

impl<O: Outside> Site<O> {
    /// Judges a request before it is passed on.
    pub(super) fn may_sign_in(&self, parts: &Parts, rule: &RouteRule, target: &SiteUpstream) -> SignIn {
        if target.session_keys.is_empty() || rule.auth == RouteAuth::None {
            return SignIn::Never;
        }
        // A link that signs in would do so from any mail and any page: safe methods never do.
        let own =
            is_unsafe(parts) && provenance(parts).isolate(&self.settings.origins) == Isolation::Identity;
        if own { SignIn::Asked } else { SignIn::Foreign }
    }

    /// Exchanges the code of an answer, if there is one, for a session of the browser that asked. The code itself is taken off with all
    /// other headers by which only we speak.
    pub(super) async fn take_over(
        &self,
        answer: &HeaderMap,
        may: SignIn,
        target: &SiteUpstream,
        admitted: &Admitted,
        context: &Context,
    ) -> Result<Option<Opened>, Problem> {
        let mut codes = answer.get_all(CODE).iter();
        let Some(code) = codes.next() else { return Ok(None) };
        let upstream = target.upstream.name();
        if may == SignIn::Never {
            tracing::warn!(
                upstream,
                "a session is handed over on a route that hands none over; see upstream.session_keys"
            );
            return Ok(None);
        }
        let code = if codes.next().is_none() { code.to_str().unwrap_or_default() } else { "" };
        if may == SignIn::Foreign {
            self.engine.refuse_take_over(code, &target.session_keys, context).await?;
            self.engine
                .record(NewEvent::refused(EventName::MaliciousCsrf, "sign_in_from_elsewhere"), context);
            return Err(Problem::new(
                Code::OriginDenied,
                "This sign-in came from another site, or by a link. Sign in on the application's own page.",
            ));
        }
        let replaces = match &admitted.principal {
            Some(Principal::Session(session)) => Some(session.claims().sid),
            Some(Principal::ApiKey(_) | Principal::Foreign(_)) | None => None,
        };
        match self.engine.take_over(code, &target.session_keys, replaces, context).await {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => {
                if !matches!(error, TakeOverError::Service(_)) {
                    tracing::warn!(upstream, %error, "a session that an upstream handed over was refused");
                    let event = NewEvent::refused(EventName::InputValidationFail, "hand_over_code");
                    self.engine.record(event.detail(upstream), context);
                }
                Err(Problem::from(&error))
            }
        }
    }
}
