//! The bounce (design §4): a link from another site brings no Strict cookie; a reload from our own page does.

use countersign_core::domain::cookie::CookieKind;
use http::request::Parts;

use crate::wire::cookie::Jar;
use crate::wire::request::{accepts_html, provenance};

/// A top-level GET navigation that accepts HTML, carries the hint and none of our Strict cookies, is not same-origin, and
/// was not bounced a moment ago.
pub(crate) fn wanted(parts: &Parts, jar: &Jar) -> bool {
    let provenance = provenance(parts);
    provenance.is_top_level_navigation()
        && provenance.site != Some("same-origin")
        && accepts_html(&parts.headers)
        && jar.value(CookieKind::Hint).is_some()
        && !jar.has_strict()
        && jar.value(CookieKind::Bounced).is_none()
}
