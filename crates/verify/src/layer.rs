//! The tower layer: nothing gets past it unverified.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_core::domain::scope::{InvalidScope, ScopeSet};
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::principal::Principal;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::verifier::Verifier;

/// Marks a request that went through the layer, so that an extractor without one does not say "not signed in".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked;

/// Puts a [`Principal`] into the request's extensions, or answers in the service's place. Made by [`Verifier::layer`].
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    verifier: Verifier,
    optional: bool,
    scope: ScopeSet,
}

impl VerifyLayer {
    pub(crate) fn new(verifier: Verifier) -> Self {
        Self { verifier, optional: false, scope: ScopeSet::default() }
    }

    /// Lets requests without any credential through, as nobody. One with a credential that is not good is refused all the same.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Asks for these scopes, separated by spaces; all are needed. With [`VerifyLayer::optional`] they are asked of those who are signed in.
    ///
    /// # Errors
    /// [`InvalidScope`] names the first bad one.
    pub fn scope(mut self, names: &str) -> Result<Self, InvalidScope> {
        self.scope = ScopeSet::parse(names)?;
        Ok(self)
    }

    async fn admit(&self, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
        let principal = match self.verifier.verify_headers(headers).await {
            Ok(principal) => principal,
            Err(Refusal::Missing) if self.optional => return Ok(None),
            Err(refusal) => {
                tracing::info!(reason = %refusal, "request refused");
                return Err(Problem::from(&refusal));
            }
        };
        if !principal.scope().covers(&self.scope) {
            return Err(Problem::insufficient_scope(&self.scope.to_string()));
        }
        Ok(Some(principal))
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verified<S>;

    fn layer(&self, inner: S) -> Verified<S> {
        Verified { inner, layer: self.clone() }
    }
}

/// A service behind the layer.
#[derive(Clone, Debug)]
pub struct Verified<S> {
    inner: S,
    layer: VerifyLayer,
}

impl<S, B, R> Service<Request<B>> for Verified<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone may not be ready; the one that is goes along (tower's documentation of `Service`).
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let layer = self.layer.clone();
        Box::pin(async move {
            // What an outer layer put there was proven to somebody else.
            request.extensions_mut().remove::<Principal>();
            let principal = match layer.admit(request.headers()).await {
                Ok(principal) => principal,
                Err(problem) => return Ok(problem.of_request(request.headers()).into_answer()),
            };
            request.extensions_mut().insert(Checked);
            let known = principal.is_some();
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            let mut answer = inner.call(request).await?;
            if known {
                keep_from_shared_caches(answer.headers_mut());
            }
            Ok(answer)
        })
    }
}

/// No shared cache may keep one user's answer for another (J04): an assertion is no `Authorization`, so caches would not know.
fn keep_from_shared_caches(headers: &mut HeaderMap) {
    let said: Vec<String> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    let says = |name: &str| said.iter().any(|d| d.split('=').next() == Some(name));
    if (says("private") || says("no-store")) && !says("public") && !says("s-maxage") {
        return;
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// J04: what a shared cache could keep is not left standing.
    #[test]
    fn j04_cache_control() {
        let after = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
            }
            keep_from_shared_caches(&mut headers);
            let left: Vec<_> =
                headers.get_all(CACHE_CONTROL).iter().map(|v| v.to_str().unwrap().to_owned()).collect();
            left.join(" | ")
        };
        assert_eq!(after(&[]), "no-store");
        assert_eq!(after(&["public, max-age=60"]), "no-store");
        assert_eq!(after(&["max-age=60"]), "no-store");
        assert_eq!(after(&["private", "S-MaxAge=60"]), "no-store");
        assert_eq!(after(&["Private, max-age=60"]), "Private, max-age=60");
        assert_eq!(after(&["no-store"]), "no-store");
    }
}
