//! Extractors for axum, and problems as its answers.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::layer::Checked;
use crate::principal::Principal;
use crate::problem::{Code, Problem};

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Self>() {
            Some(principal) => Ok(principal.clone()),
            None if parts.extensions.get::<Checked>().is_some() => {
                Err(Problem::new(Code::TokenMissing).of_request(&parts.headers))
            }
            None => Err(unlayered(parts)),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        if parts.extensions.get::<Checked>().is_none() {
            return Err(unlayered(parts));
        }
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// Fails closed, and tells the developer instead of the client.
fn unlayered(parts: &Parts) -> Problem {
    tracing::error!(
        path = parts.uri.path(),
        "a handler wants a Principal, but no VerifyLayer is around its route"
    );
    Problem::new(Code::StoreUnavailable).of_request(&parts.headers)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_answer()
    }
}
