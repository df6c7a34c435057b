//! One call of an own end point: head, bounded body, who asks.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, Request};
use bytes::Bytes;
use countersign_core::domain::id::RequestId;
use countersign_core::domain::isolation::Isolation;
use countersign_core::port::Outside;
use countersign_core::service::{Context, SessionPrincipal};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use crate::credentials::{self, Authorization, Genuine};
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::field;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::{self, Client, is_document, provenance, single};

/// Largest body of an own end point.
const MAX_BODY: usize = 64 * 1024;
/// Longest time for it to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What kind of body came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Media {
    None,
    Json,
    Form,
}

/// A call.
pub(super) struct Call {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) media: Media,
    pub(super) client: Client,
    pub(super) context: Context,
}

/// The client that the listener noted.
pub(super) fn client_of(request: &Request) -> Client {
    request.extensions().get::<Client>().cloned().unwrap_or_else(unknown_client)
}

fn unknown_client() -> Client {
    Client { ip: std::net::IpAddr::from([0, 0, 0, 0]), request: RequestId::from_random([0; 16]) }
}

/// Whether problems should be pages: a page load, or a form posted by one.
pub(super) fn wants_page(request: &Request) -> bool {
    let navigates = single(request.headers(), "sec-fetch-dest") == Some("document");
    navigates
        || (request::accepts_html(request.headers()) && !request.headers().contains_key("sec-fetch-dest"))
}

impl Call {
    pub(super) async fn read(request: Request) -> Result<Self, Problem> {
        let client = client_of(&request);
        let (parts, body) = request.into_parts();
        let too_large = || {
            Problem::new(Code::InvalidRequest, "The body is larger than 64 kB.")
                .status(StatusCode::PAYLOAD_TOO_LARGE)
                .closing()
        };
        let announced = single(&parts.headers, CONTENT_LENGTH).and_then(|l| l.parse::<usize>().ok());
        if announced.is_some_and(|l| l > MAX_BODY) {
            return Err(too_large());
        }
        let media = media(&parts)?;
        let body = match tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
            Ok(Err(_)) => {
                return Err(Problem::new(Code::InvalidRequest, "The request body did not arrive.").closing());
            }
            Err(_elapsed) => {
                let late = Problem::new(Code::InvalidRequest, "The request body took too long.");
                return Err(late.status(StatusCode::REQUEST_TIMEOUT).closing());
            }
        };
        let context = client.context(&parts.headers);
        Ok(Self { parts, body, media, client, context })
    }

    /// Refuses forms: for end points that pages do not post to (C08).
    pub(super) fn json_only(&self) -> Result<(), Problem> {
        if self.media == Media::Form { Err(unsupported()) } else { Ok(()) }
    }

    /// Refuses everything but forms: for end points whose RFC says so, and which read no cookies.
    pub(super) fn form_only(&self) -> Result<(), Problem> {
        if self.media == Media::Form {
            return Ok(());
        }
        Err(Problem::new(Code::UnsupportedMediaType, "Send the body as application/x-www-form-urlencoded."))
    }

    /// A field of the form that may come once (RFC 6749 §3.2): with two, two readers could take different ones.
    pub(super) fn single_field(&self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = url::form_urlencoded::parse(&self.body).filter(|(n, _)| n == name);
        let first = values.next().map(|(_, value)| value.into_owned());
        if values.next().is_some() {
            return Err(Problem::new(Code::InvalidRequest, format!("The field {name} came twice.")));
        }
        Ok(first)
    }

    /// A field of the form that must come, once.
    pub(super) fn required_field(&self, name: &str) -> Result<String, Problem> {
        let value = self.single_field(name)?.filter(|value| !value.is_empty());
        value.ok_or_else(|| Problem::new(Code::InvalidRequest, format!("The field {name} is missing.")))
    }

    /// The JSON body.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // serde names the missing or unknown member; values are not repeated, they may be secrets.
            let what = match error.classify() {
                serde_json::error::Category::Data => "lacks a member, or one has the wrong type",
                _ => "is not JSON",
            };
            Problem::new(Code::InvalidRequest, format!("The body {what}."))
        })
    }

    /// A field of the form.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        field::urlencoded(&self.body, name)
    }

    /// A parameter of the query string.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        field::urlencoded(self.parts.uri.query()?.as_bytes(), name)
    }

    /// The one parameter of the path.
    pub(super) async fn parameter(&mut self) -> Option<String> {
        let Path(value) = Path::<String>::from_request_parts(&mut self.parts, &()).await.ok()?;
        Some(value)
    }

    /// The CSRF token: header, or field of a form.
    pub(super) fn csrf<O: Outside>(&self, site: &Site<O>) -> Option<String> {
        match single(&self.parts.headers, &site.settings.csrf_header) {
            Some(token) => Some(token.to_owned()),
            None if self.media == Media::Form => self.field(field::NAME),
            None => None,
        }
    }

    pub(super) fn is_document(&self) -> bool {
        is_document(&self.parts)
    }

    /// Our cookies, if they may act: none of a request that another site caused. Refused where it would change something.
    pub(super) fn jar<O: Outside>(&self, site: &Site<O>) -> Result<Jar, Problem> {
        let jar = site.read_jar(&self.parts, &self.context)?;
        if !jar.has_strict() {
            return Ok(jar);
        }
        match site.isolate(&provenance(&self.parts), &self.context)? {
            Isolation::WithoutIdentity => Ok(Jar::default()),
            Isolation::Identity | Isolation::Refused => Ok(jar),
        }
    }

    /// Whose session asks, for reading. Nothing rotates under `/auth`, and an API key is no session (G06).
    pub(super) async fn principal<O: Outside>(
        &self,
        site: &Site<O>,
    ) -> Result<Arc<SessionPrincipal>, Problem> {
        match credentials::authorization(&self.parts.headers) {
            Authorization::Token(token) => site.session_bearer(token, &self.context).await,
            Authorization::Malformed => Err(credentials::unreadable()),
            Authorization::Absent => self.principal_of(site, &self.jar(site)?).await,
        }
    }

    async fn principal_of<O: Outside>(
        &self,
        site: &Site<O>,
        jar: &Jar,
    ) -> Result<Arc<SessionPrincipal>, Problem> {
        match site.access_cookie(jar, &self.context).await {
            Some(Ok(principal)) => Ok(principal),
            Some(Err(error)) => {
                site.record_verify(&error, &self.context);
                Err((&error).into())
            }
            None if jar.has_session() => {
                Err(Problem::new(Code::TokenExpired, "Refresh the session, then try again."))
            }
            None => Err(Problem::missing()),
        }
    }

    /// Who asks, for changing something: with cookies, a CSRF token of the session comes first.
    pub(super) async fn principal_for_change<O: Outside>(
        &self,
        site: &Site<O>,
    ) -> Result<Arc<SessionPrincipal>, Problem> {
        if !matches!(credentials::authorization(&self.parts.headers), Authorization::Absent) {
            return self.principal(site).await;
        }
        let jar = self.jar(site)?;
        self.genuine_for_change(site, &jar).await?;
        self.principal_of(site, &jar).await
    }

    /// The session that the cookies genuinely name, dead or alive, with its CSRF token checked.
    pub(super) async fn genuine_for_change<O: Outside>(
        &self,
        site: &Site<O>,
        jar: &Jar,
    ) -> Result<Genuine, Problem> {
        if !jar.has_session() {
            return Err(Problem::missing());
        }
        let Some(genuine) = site.genuine(jar).await? else {
            return Err(Problem::new(Code::TokenInvalid, "The session cookies are not ours, or damaged."));
        };
        site.check_csrf(genuine.sid, self.csrf(site).as_deref(), &self.context)?;
        Ok(genuine)
    }
}

pub(super) fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "Send the body as application/json.")
}

/// JSON, a urlencoded form, or nothing at all (C08). Everything else could be sent by a plain form of another site.
fn media(parts: &Parts) -> Result<Media, Problem> {
    let Some(kind) = single(&parts.headers, CONTENT_TYPE) else {
        let has_body = parts.headers.contains_key(TRANSFER_ENCODING)
            || single(&parts.headers, CONTENT_LENGTH).is_some_and(|l| l.trim() != "0");
        return if has_body { Err(unsupported()) } else { Ok(Media::None) };
    };
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(Media::Json),
        "application/x-www-form-urlencoded" => Ok(Media::Form),
        _ => Err(unsupported()),
    }
}
