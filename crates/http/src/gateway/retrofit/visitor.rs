//! What an upstream set before login (Django's and Rails' session cookie): kept beside the pre-session, held back from the browser.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::csrf::PreSession;
use countersign_core::domain::retrofit::{Holder, UpstreamToken};
use countersign_core::domain::secret::SecretString;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Outside;
use countersign_core::service::Kept;

use super::head::{Catch, Caught};
use super::{Identity, Visit};
use crate::gateway::respond::Refusal;
use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::cookie::{self, Jar};
use crate::wire::headers;
use crate::wire::problem::Problem;

/// How long a visitor's token is kept, as the cookie that it hangs on.
const TTL: Duration = Duration::from_secs(3600);
/// Changes of an expiry that are not worth a write: some frameworks move it with each answer.
const SLACK: Duration = Duration::from_secs(60);

/// Who a browser without a session is.
pub(super) fn holder(jar: &Jar) -> Option<Holder> {
    let pre = jar.value(CookieKind::PreSession).and_then(PreSession::parse)?;
    Some(Holder::visitor(&pre))
}

impl<O: Outside> Site<O> {
    /// Keeps what an answer brought, if it is news.
    pub(super) async fn update(
        &self,
        holder: Holder,
        kept: Option<&Kept>,
        found: Catch,
        until: Timestamp,
        visit: &Visit<'_>,
    ) -> Result<(), Box<Refusal>> {
        let old = kept.map(|kept| &kept.token);
        let Some(token) = succeeding(found, old) else { return Ok(()) };
        if old.is_some_and(|old| is_same(old, &token)) {
            return Ok(());
        }
        // Whatever was there: of two answers at once the later one counts, as in a browser's jar.
        let kept = self.engine.keep_upstream_token(holder, &visit.target.audience, token, None, until).await;
        kept.map(drop).map_err(|error| Problem::from(&error).into())
    }

    /// Keeps a visitor's token. The pre-session that the browser is to have for it.
    pub(super) async fn visit_again(
        &self,
        found: Catch,
        who: &Identity,
        jar: &Jar,
        visit: &Visit<'_>,
    ) -> Result<Option<SecretString>, Box<Refusal>> {
        let until = self.engine.now().plus(TTL);
        if let (Some(holder @ Holder::Visitor(_)), Some(kept)) = (who.holder, &who.kept) {
            self.update(holder, Some(kept), found, until, visit).await?;
            // Its cookie lives as long again.
            return Ok(jar.value(CookieKind::PreSession).map(|value| SecretString::new(value.to_owned())));
        }
        // A new one, always: what a client brought is never adopted (D09).
        let pre = PreSession::from_random(self.engine.random16());
        self.update(Holder::visitor(&pre), None, found, until, visit).await?;
        Ok(Some(pre.to_cookie()))
    }

    /// Hands a pre-session to the browser.
    pub(super) fn hand_visitor(&self, answer: &mut Answer, pre: Option<&SecretString>) {
        let Some(pre) = pre else { return };
        let out = answer.headers_mut();
        cookie::set(out, &self.settings.cookies, CookieKind::PreSession, pre.expose(), TTL);
        headers::unshare(out, true);
    }
}

/// What stands after an answer: a part that it did not bring stays.
fn succeeding(found: Catch, old: Option<&UpstreamToken>) -> Option<UpstreamToken> {
    let copy = |text: &SecretString| SecretString::new(text.expose().to_owned());
    let token = match (found.token, old) {
        (Some(Caught { value, declared }), _) => UpstreamToken::new(value, found.refresh, declared),
        (None, Some(old)) => {
            UpstreamToken { value: copy(&old.value), refresh: found.refresh, expires_at: old.expires_at }
        }
        (None, None) => return None,
    };
    Some(match old {
        Some(old) => token.succeeding(old),
        None => token,
    })
}

fn is_same(a: &UpstreamToken, b: &UpstreamToken) -> bool {
    let text = |token: &UpstreamToken| token.refresh.as_ref().map(|text| text.expose().to_owned());
    let near = match (a.expires_at, b.expires_at) {
        (Some(a), Some(b)) => a.since(b).max(b.since(a)) < SLACK,
        (a, b) => a == b,
    };
    a.value.expose() == b.value.expose() && text(a) == text(b) && near
}
