//! Whose request is it? The order of checks of design §7, shared by the gateway and our own end points.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::api_key::MachineScope;
use countersign_core::domain::client::Presenter;
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::csrf::{self, Binding, PreSession};
use countersign_core::domain::environment::Environment;
use countersign_core::domain::event::EventName;
use countersign_core::domain::id::Sid;
use countersign_core::domain::isolation::{Isolation, Provenance};
use countersign_core::domain::retrofit::is_placeholder;
use countersign_core::domain::rotation::Carrier;
use countersign_core::domain::token::api_key::ApiKeyTokenError;
use countersign_core::domain::token::refresh::{RefreshToken, RefreshTokenError};
use countersign_core::domain::token::{TokenRefusal, unverified};
use countersign_core::port::{Outside, StoreError};
use countersign_core::service::{
    ApiKeyError, Context, KeyPrincipal, NewEvent, Presentation, Principal, RotateError, RotateOutcome,
    ServiceError, SessionPrincipal, VerifyError,
};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};

/// How long a store may think about one credential. A store that hangs must not make requests hang: it counts as down (K11).
const PATIENCE: Duration = Duration::from_secs(5);

/// How refresh tokens and API keys of every environment begin (G02).
const REFRESH: &str = "csr_";
const API_KEY: &str = "csk_";

/// Waits for the engine, but not for ever; `late` makes the refusal.
pub(crate) async fn patiently<T, E>(
    answer: impl Future<Output = Result<T, E>>,
    late: impl FnOnce(StoreError) -> E,
) -> Result<T, E> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(late(StoreError::Unavailable(String::from("it did not answer in time")))),
    }
}

/// The `Authorization` header, as far as it concerns us.
pub(crate) enum Authorization<'h> {
    /// None, another scheme (passed on), or the retrofit's placeholder.
    Absent,
    /// A token for us to judge. Judges the request alone: no fall-through to cookies.
    Token(&'h str),
    /// `Bearer` or `DPoP`, but not readable, or there twice.
    Malformed,
}

/// Reads `Authorization`.
pub(crate) fn authorization(headers: &HeaderMap) -> Authorization<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = values.next() else { return Authorization::Absent };
    if values.next().is_some() {
        return Authorization::Malformed;
    }
    let Ok(text) = first.to_str() else { return Authorization::Malformed };
    // A tab separates for some servers: what one of them would read as our token must not pass for another scheme.
    let Some((scheme, token)) = text.trim().split_once([' ', '\t']) else {
        let text = text.trim();
        let ours = text.eq_ignore_ascii_case("bearer") || text.eq_ignore_ascii_case("dpop");
        return if ours { Authorization::Malformed } else { Authorization::Absent };
    };
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("dpop") {
        return Authorization::Absent;
    }
    let token = token.trim();
    if is_placeholder(token) { Authorization::Absent } else { Authorization::Token(token) }
}

/// `Authorization` twice, or without a token.
pub(crate) fn unreadable() -> Problem {
    Problem::new(Code::TokenInvalid, "The Authorization header cannot be read, or came twice.")
}

/// Whether a bearer value is one of ours by its look, and must not reach an upstream of an open route.
pub(crate) fn looks_like_ours(token: &str) -> bool {
    is_placeholder(token)
        || token.starts_with(REFRESH)
        || token.starts_with(API_KEY)
        || unverified::read(token).is_some_and(|read| read.looks_like_ours())
}

/// Takes `Authorization` away from an upstream if it holds a credential of ours, or the retrofit's placeholder: whatever the scheme,
/// and wherever in the value.
pub(crate) fn withhold(headers: &mut HeaderMap) {
    let ours = headers.get_all(AUTHORIZATION).iter().any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split([' ', ',', '\t', '"', '=']).any(looks_like_ours)
    });
    if ours {
        headers.remove(AUTHORIZATION);
        headers.remove("dpop");
    }
}

/// The environment that an opaque token of ours claims by its prefix, unverified: only to name an error better.
fn environment_of(token: &str, prefix: &str) -> Option<Environment> {
    let (label, _) = token.strip_prefix(prefix)?.split_once('_')?;
    Environment::parse(label).ok()
}

/// A session named by a genuine cookie, in whatever state it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Genuine {
    pub(crate) sid: Sid,
}

impl<O: Outside> Site<O> {
    /// Judges a bearer token: an access token or an API key. Refresh tokens are no credential for requests.
    pub(crate) async fn bearer(&self, token: &str, context: &Context) -> Result<Principal, Problem> {
        if token.starts_with(API_KEY) {
            return self.api_key(token, context).await.map(Principal::ApiKey);
        }
        self.refuse_opaque(token, context)?;
        patiently(self.engine.verify_bearer(token, context), VerifyError::Store)
            .await
            .map_err(|error| self.refused(&error, context))
    }

    /// Judges a bearer token where only a session will do: an API key neither signs in nor mints keys nor changes
    /// credentials (G06), however good it is.
    pub(crate) async fn session_bearer(
        &self,
        token: &str,
        context: &Context,
    ) -> Result<Arc<SessionPrincipal>, Problem> {
        self.refuse_opaque(token, context)?;
        patiently(self.engine.verify_access(token, context), VerifyError::Store)
            .await
            .map_err(|error| self.refused(&error, context))
    }

    fn refused(&self, error: &VerifyError, context: &Context) -> Problem {
        self.record_verify(error, context);
        Problem::from(error)
    }

    /// Tokens of other kinds than access tokens, by their look.
    fn refuse_opaque(&self, token: &str, context: &Context) -> Result<(), Problem> {
        let other = |prefix| environment_of(token, prefix).is_some_and(|e| e != *self.engine.environment());
        if other(REFRESH) || other(API_KEY) {
            self.engine.record(NewEvent::refused(EventName::WrongEnvironment, "bearer"), context);
            return Err(Problem::new(Code::WrongEnvironment, "Use a token that this environment issued."));
        }
        if token.starts_with(REFRESH) {
            return Err(Problem::new(
                Code::WrongPurpose,
                "A refresh token opens no door. Send an access token.",
            ));
        }
        if token.starts_with(API_KEY) {
            return Err(Problem::new(Code::WrongPurpose, "This needs a session. An API key is none."));
        }
        Ok(())
    }

    /// Judges an API key.
    async fn api_key(&self, token: &str, context: &Context) -> Result<Arc<KeyPrincipal>, Problem> {
        patiently(self.engine.verify_api_key(token, context), ApiKeyError::Store).await.map_err(|error| {
            if matches!(error, ApiKeyError::Token(ApiKeyTokenError::WrongEnvironment)) {
                self.engine.record(NewEvent::refused(EventName::WrongEnvironment, "api_key"), context);
            }
            Problem::from(&error)
        })
    }

    /// A machine at one of our own end points: an API key with this scope, in `Authorization` and nowhere else. Cookies
    /// are not read, so no other site can act through a browser here.
    pub(crate) async fn service_key(
        &self,
        headers: &HeaderMap,
        scope: MachineScope,
        context: &Context,
    ) -> Result<Arc<KeyPrincipal>, Problem> {
        let token = match authorization(headers) {
            Authorization::Token(token) => token,
            Authorization::Malformed => return Err(unreadable()),
            Authorization::Absent => {
                return Err(Problem::new(
                    Code::TokenMissing,
                    format!("Send an API key with the scope {} as a bearer token.", scope.as_str()),
                ));
            }
        };
        if !token.starts_with(API_KEY) {
            // Judged all the same: what is wrong with it by itself is said first.
            self.session_bearer(token, context).await?;
            return Err(Problem::new(
                Code::WrongPurpose,
                "This is for API keys. A session opens nothing here.",
            ));
        }
        let key = self.api_key(token, context).await?;
        if !scope.is_in(key.scope()) {
            let (event, id) =
                (NewEvent::refused(EventName::AuthzFail, "insufficient_scope"), key.id().to_string());
            self.engine.record(event.user(key.owner()).detail(&id), context);
            return Err(Problem::new(
                Code::InsufficientScope,
                format!("The API key lacks the scope {}, which an operator grants.", scope.as_str()),
            ));
        }
        Ok(key)
    }

    /// Doubled cookies: somebody planted one. Refused, nothing is cleared (B04).
    pub(crate) fn refuse_tossed(&self, jar: &Jar, context: &Context) -> Result<(), Problem> {
        if jar.is_tossed() {
            self.engine
                .record(NewEvent::refused(EventName::CookieTossed, "doubled_or_case_variant"), context);
            return Err(Problem::new(
                Code::TokenInvalid,
                "The browser sent one of our cookies twice. Close other applications on this domain, or delete the site's cookies.",
            ));
        }
        Ok(())
    }

    /// The origin check for a request that carries cookies of ours.
    pub(crate) fn isolate(
        &self,
        provenance: &Provenance<'_>,
        context: &Context,
    ) -> Result<Isolation, Problem> {
        let isolation = provenance.isolate(&self.settings.origins);
        if isolation == Isolation::Refused {
            self.engine.record(NewEvent::refused(EventName::MaliciousCsrf, "origin_denied"), context);
            return Err(Problem::new(
                Code::OriginDenied,
                "The request came from another site, or does not say where from. Send it from the application's own pages, or allow their origin.",
            ));
        }
        Ok(isolation)
    }

    /// Parses the refresh cookie, if there is one.
    pub(crate) fn refresh_cookie(&self, jar: &Jar) -> Option<Result<RefreshToken, RefreshTokenError>> {
        jar.value(CookieKind::Refresh).map(|text| RefreshToken::parse(text, self.engine.environment()))
    }

    /// The session that the cookies genuinely name: the refresh cookie's, else the access cookie's.
    pub(crate) async fn genuine(&self, jar: &Jar) -> Result<Option<Genuine>, Problem> {
        match self.refresh_cookie(jar) {
            Some(Ok(token)) => {
                let held = patiently(self.engine.genuine_refresh(&token), ServiceError::Store)
                    .await
                    .map_err(|e| Problem::from(&e))?;
                Ok(held.map(|h| Genuine { sid: h.session.sid }))
            }
            Some(Err(error)) => Err(error.into()),
            None => Ok(jar
                .value(CookieKind::Access)
                .and_then(|t| self.engine.genuine_access(t))
                .map(|sid| Genuine { sid })),
        }
    }

    /// Checks a CSRF token against a session.
    pub(crate) fn check_csrf(
        &self,
        sid: Sid,
        presented: Option<&str>,
        context: &Context,
    ) -> Result<(), Problem> {
        if presented.is_some_and(|t| csrf::matches(self.engine.keyring(), Binding::Session(sid), t)) {
            return Ok(());
        }
        Err(self.csrf_failed(context))
    }

    /// Checks a CSRF token of somebody who signs in or up: the session's or the pre-session's (C09).
    pub(crate) fn check_entry_csrf(
        &self,
        genuine: Option<Genuine>,
        jar: &Jar,
        presented: Option<&str>,
        context: &Context,
    ) -> Result<(), Problem> {
        let keyring = self.engine.keyring();
        let by_session =
            genuine.zip(presented).is_some_and(|(g, t)| csrf::matches(keyring, Binding::Session(g.sid), t));
        let pre = jar.value(CookieKind::PreSession).and_then(PreSession::parse);
        let by_pre =
            pre.zip(presented).is_some_and(|(p, t)| csrf::matches(keyring, Binding::PreSession(&p), t));
        if by_session || by_pre { Ok(()) } else { Err(self.csrf_failed(context)) }
    }

    fn csrf_failed(&self, context: &Context) -> Problem {
        self.engine.record(NewEvent::refused(EventName::MaliciousCsrf, "csrf_failed"), context);
        let header = self.settings.csrf_header.as_str();
        Problem::new(
            Code::CsrfFailed,
            format!(
                "Get a token from GET /auth/csrf and send it in the header {header} or the form field _csrf."
            ),
        )
    }

    /// Verifies the access cookie alone, without rotating.
    pub(crate) async fn access_cookie(
        &self,
        jar: &Jar,
        context: &Context,
    ) -> Option<Result<Arc<SessionPrincipal>, VerifyError>> {
        let token = jar.value(CookieKind::Access)?;
        Some(patiently(self.engine.verify_access(token, context), VerifyError::Store).await)
    }

    /// Presents the refresh cookie; parallel presentations of one token share the answer.
    pub(crate) async fn rotate(
        &self,
        jar: &Jar,
        carrier: Carrier,
        context: &Context,
    ) -> Result<Arc<RotateOutcome>, Problem> {
        self.rotate_as(jar, carrier, Presenter::Cookie, context).await
    }

    /// The same for a browser that says which client it is.
    pub(crate) async fn rotate_as(
        &self,
        jar: &Jar,
        carrier: Carrier,
        presenter: Presenter,
        context: &Context,
    ) -> Result<Arc<RotateOutcome>, Problem> {
        let Some(text) = jar.value(CookieKind::Refresh) else { return Err(Problem::missing()) };
        self.rotate_token(text, carrier, presenter, context).await
    }

    /// Presents a refresh token, from wherever it came.
    pub(crate) async fn rotate_token(
        &self,
        text: &str,
        carrier: Carrier,
        presenter: Presenter,
        context: &Context,
    ) -> Result<Arc<RotateOutcome>, Problem> {
        let token = RefreshToken::parse(text, self.engine.environment()).map_err(|error| {
            if error == RefreshTokenError::WrongEnvironment {
                self.engine.record(NewEvent::refused(EventName::WrongEnvironment, "refresh_token"), context);
            }
            Problem::from(error)
        })?;
        let how = Presentation { carrier, presenter: presenter.clone(), context: context.clone() };
        let rotation = patiently(self.engine.rotate(&token, &how), |e| ServiceError::Store(e).into());
        let shared = self.inflight.run(text, carrier, presenter, rotation).await;
        shared.map_err(|error: Arc<RotateError>| {
            let mut problem = Problem::from(&*error);
            // Only a genuine token is told that its session ended.
            if let Some(ended) = &mut problem.ended {
                ended.sid = Some(token.sid());
            }
            problem
        })
    }

    /// Events for refused access tokens that are worth one.
    pub(crate) fn record_verify(&self, error: &VerifyError, context: &Context) {
        let reason = error.reason();
        let event = match error {
            VerifyError::Refused(TokenRefusal::Environment) => {
                NewEvent::refused(EventName::WrongEnvironment, "access_token")
            }
            VerifyError::Refused(TokenRefusal::Expired) => return,
            VerifyError::Refused(_) => NewEvent::refused(EventName::InputValidationFail, &reason),
            VerifyError::Revoked | VerifyError::SessionExpired => {
                NewEvent::refused(EventName::SessionUseAfterExpire, &reason)
            }
            // Recorded where it was found, or no event but an error in the log.
            VerifyError::Reused | VerifyError::Store(_) => return,
        };
        self.engine.record(event, context);
    }
}
