//! Cookies on the wire (RFC 6265bis): reading ours out of a request, taking them away from upstreams, writing them.

use std::time::Duration;

use countersign_core::domain::cookie::{CookieKind, CookiePolicy, SameSite};
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use memchr::memchr;

/// Our cookies in a request. Values are secrets: this type does not print.
#[derive(Default)]
pub(crate) struct Jar {
    values: [Option<Box<str>>; CookieKind::COUNT],
    tossed: bool,
}

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jar").field("tossed", &self.tossed).finish_non_exhaustive()
    }
}

impl Jar {
    /// Reads ours. Cheap when there are none.
    pub(crate) fn read(headers: &HeaderMap, policy: &CookiePolicy) -> Self {
        let mut jar = Self::default();
        for pair in headers.get_all(COOKIE).iter().flat_map(pairs) {
            jar.take(pair, policy);
        }
        jar
    }

    fn take(&mut self, pair: &[u8], policy: &CookiePolicy) {
        // A nameless cookie whose value looks like ours (`=__Host-x=evil`) has an empty name here, and is nobody's (B05).
        let (name, value) = split(pair);
        let Ok(name) = std::str::from_utf8(name) else { return };
        match policy.kind(name) {
            Some(kind) => {
                if let Some(slot) = self.values.get_mut(kind as usize) {
                    // Two of one name: one was planted, and no order tells which (B04). A value that is no text counts too.
                    self.tossed |= slot.is_some();
                    *slot = Some(match std::str::from_utf8(value) {
                        Ok(value) => value.into(),
                        Err(_) => String::from_utf8_lossy(value).into(),
                    });
                }
            }
            None => self.tossed |= policy.is_case_variant(name),
        }
    }

    /// The value of a cookie.
    pub(crate) fn value(&self, kind: CookieKind) -> Option<&str> {
        self.values.get(kind as usize)?.as_deref()
    }

    /// Two cookies of one name, or a case variant, came: refuse, clear nothing (B04).
    pub(crate) const fn is_tossed(&self) -> bool {
        self.tossed
    }

    /// Whether an access or refresh cookie came.
    pub(crate) fn has_session(&self) -> bool {
        self.value(CookieKind::Access).is_some() || self.value(CookieKind::Refresh).is_some()
    }

    /// Whether any cookie came that a cross-site navigation would not bring along.
    pub(crate) fn has_strict(&self) -> bool {
        CookieKind::ALL
            .into_iter()
            .any(|k| !matches!(k, CookieKind::Hint | CookieKind::Bounced) && self.value(k).is_some())
    }
}

/// Name and value; without `=` all of it is value.
fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr(b'=', pair);
    let (name, value) = at.and_then(|at| pair.split_at_checked(at)).unwrap_or((b"", pair));
    (name.trim_ascii(), value.strip_prefix(b"=").unwrap_or(value).trim_ascii())
}

fn pairs(header: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header.as_bytes());
    // On every request, over tokens of a kilobyte: not byte by byte.
    std::iter::from_fn(move || {
        let text = rest?;
        let (pair, after) = match memchr(b';', text) {
            Some(at) => text.split_at_checked(at)?,
            None => (text, [].as_slice()),
        };
        rest = after.split_first().map(|(_semicolon, after)| after);
        Some(pair.trim_ascii())
    })
}

/// Takes our cookies, and case variants of them, out of what an upstream will see (B09). Others stay byte for byte.
pub(crate) fn strip(headers: &mut HeaderMap, policy: &CookiePolicy) {
    remove_where(headers, |name| policy.kind(name).is_some() || policy.is_case_variant(name));
}

/// Takes cookies out of what an upstream will see, by name. Others stay byte for byte.
pub(crate) fn remove_where(headers: &mut HeaderMap, goes: impl Fn(&str) -> bool) {
    let is_ours = |pair: &[u8]| {
        let at = memchr(b'=', pair).unwrap_or(pair.len());
        let plain = pair.get(..at).unwrap_or_default().trim_ascii();
        if std::str::from_utf8(plain).is_ok_and(&goes) {
            return true;
        }
        // Upstreams trim what we do not (Python's `strip`: U+0085, U+00A0, U+001F), and some begin a new pair at a comma.
        let odd = memchr(b',', pair).is_some() || plain.iter().any(|b| !b.is_ascii_graphic());
        odd && pair.split(|b| *b == b',').any(|part| {
            let name = part.split(|b| *b == b'=').next().unwrap_or_default();
            let as_utf8 = String::from_utf8_lossy(name);
            let as_latin1: String = name.iter().copied().map(char::from).collect();
            goes(trimmed(&as_utf8)) || goes(trimmed(&as_latin1))
        })
    };
    let mut ours = false;
    let mut kept = Vec::new();
    for pair in headers.get_all(COOKIE).iter().flat_map(pairs) {
        if is_ours(pair) {
            ours = true;
        } else if !pair.is_empty() {
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(pair);
        }
    }
    if !ours {
        return;
    }
    headers.remove(COOKIE);
    if !kept.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(&kept)
    {
        headers.insert(COOKIE, value);
    }
}

/// Without whatever some language calls white space, and without controls.
fn trimmed(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

/// Takes Set-Cookie of our names out of an upstream's answer: only we set them.
pub(crate) fn strip_set_cookie(headers: &mut HeaderMap, policy: &CookiePolicy) {
    let ours = |value: &HeaderValue| {
        // A nameless cookie (`=__Host-x=evil`) comes back from older browsers as if it had our name (B05).
        let mut parts = value.as_bytes().split(|b| *b == b'=' || *b == b';').map(<[u8]>::trim_ascii);
        let name = parts.find(|part| !part.is_empty()).unwrap_or_default();
        std::str::from_utf8(name).is_ok_and(|n| policy.kind(n).is_some() || policy.is_case_variant(n))
    };
    if headers.get_all(SET_COOKIE).iter().any(ours) {
        let kept: Vec<HeaderValue> =
            headers.get_all(SET_COOKIE).iter().filter(|v| !ours(v)).cloned().collect();
        headers.remove(SET_COOKIE);
        for value in kept {
            headers.append(SET_COOKIE, value);
        }
    }
}

/// Sets a cookie. More than 4096 bytes are never written: browsers would drop them in silence (B11).
pub(crate) fn set(
    headers: &mut HeaderMap,
    policy: &CookiePolicy,
    kind: CookieKind,
    value: &str,
    max_age: Duration,
) {
    if policy.name(kind).len() + value.len() > 4096 {
        tracing::error!(
            cookie = policy.name(kind),
            bytes = value.len(),
            "cookie is longer than browsers accept; not set"
        );
        return;
    }
    write(headers, policy, kind, value, max_age);
}

/// Deletes a cookie: the same name, Path and Secure, with Max-Age=0 (B13).
pub(crate) fn clear(headers: &mut HeaderMap, policy: &CookiePolicy, kind: CookieKind) {
    write(headers, policy, kind, "", Duration::ZERO);
}

/// Deletes the four session cookies. Only where design §4 "Clearing" says so.
pub(crate) fn clear_session(headers: &mut HeaderMap, policy: &CookiePolicy) {
    for kind in CookieKind::SESSION {
        clear(headers, policy, kind);
    }
}

fn write(headers: &mut HeaderMap, policy: &CookiePolicy, kind: CookieKind, value: &str, max_age: Duration) {
    let attributes = policy.attributes(kind);
    let mut text = format!("{}={value}; Path=/; Max-Age={}", policy.name(kind), max_age.as_secs());
    if attributes.secure {
        text.push_str("; Secure");
    }
    if attributes.http_only {
        text.push_str("; HttpOnly");
    }
    text.push_str(match attributes.same_site {
        SameSite::Strict => "; SameSite=Strict",
        SameSite::Lax => "; SameSite=Lax",
        SameSite::NonePartitioned => "; SameSite=None; Partitioned",
    });
    if let Ok(mut header) = HeaderValue::try_from(text) {
        header.set_sensitive(true);
        headers.append(SET_COOKIE, header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::domain::environment::Environment;

    fn policy() -> CookiePolicy {
        CookiePolicy::https(&Environment::parse("production").unwrap(), 443, SameSite::Strict)
    }

    fn request(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for c in cookies {
            headers.append(COOKIE, HeaderValue::from_bytes(c.as_bytes()).unwrap());
        }
        headers
    }

    /// B04: two of one name, in either order, in one header or two, and case variants.
    #[test]
    fn b04_tossed_cookies() {
        let name = "__Host-Http-cs-access";
        for cookies in [
            &[format!("{name}=evil; {name}=good")][..],
            &[format!("{name}=good"), format!("a=b; {name}=evil")],
            &[format!("{}=evil; {name}=good", name.to_lowercase())],
            &[format!("{name}=a; {name}=a")],
            &[format!("{name}=\u{ff}; {name}=a")],
        ] {
            let list: Vec<&str> = cookies.iter().map(String::as_str).collect();
            assert!(Jar::read(&request(&list), &policy()).is_tossed(), "{list:?}");
        }
        let jar = Jar::read(&request(&["theme=dark; __Host-Http-cs-access=x; a=1"]), &policy());
        assert!(!jar.is_tossed());
        assert_eq!(jar.value(CookieKind::Access), Some("x"));
    }

    /// B05: nameless cookies are not ours.
    #[test]
    fn b05_nameless_cookies() {
        let jar = Jar::read(&request(&["=__Host-Http-cs-access=evil; __Host-Http-cs-access"]), &policy());
        assert!(!jar.has_session() && !jar.is_tossed());
    }

    /// B09: ours never reach an upstream, the others do unchanged.
    #[test]
    fn b09_strip() {
        let mut headers = request(&[
            "a=1; __Host-Http-cs-access=x; b=\"q;",
            "__Host-cs-csrf=y; __host-http-CS-access=z; c=3",
        ]);
        strip(&mut headers, &policy());
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=\"q; c=3"]);
        // Nor in a dress that an upstream takes off: Django trims U+00A0 and U+0085, others begin a pair at a comma.
        for smuggled in [
            "\u{a0}__Host-cs-csrf=y",
            "__Host-cs-csrf\u{85}=y",
            "\u{feff}__Host-cs-csrf=y",
            "b=1,__Host-cs-csrf=y",
            "b=1, \u{2003}__Host-cs-csrf =y",
        ] {
            let mut headers = request(&["a=1; ", smuggled, "c=\u{e4}, d"]);
            strip(&mut headers, &policy());
            assert_eq!(
                headers.get(COOKIE).unwrap().as_bytes(),
                "a=1; c=\u{e4}, d".as_bytes(),
                "{smuggled:?}"
            );
        }
        let mut latin1 = HeaderMap::new();
        latin1.append(COOKIE, HeaderValue::from_bytes(b"a=1; \xa0__Host-cs-csrf\x85=y").unwrap());
        strip(&mut latin1, &policy());
        assert_eq!(latin1.get(COOKIE).unwrap(), "a=1");
        let mut only = request(&["__Host-cs-hint=1"]);
        strip(&mut only, &policy());
        assert!(only.get(COOKIE).is_none());
    }

    /// B01, B06, B07, B10, B13: attributes of what we write.
    #[test]
    fn b01_b13_written_attributes() {
        let mut headers = HeaderMap::new();
        set(&mut headers, &policy(), CookieKind::Refresh, "v", Duration::from_secs(60));
        clear(&mut headers, &policy(), CookieKind::Csrf);
        let all: Vec<_> = headers.get_all(SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(
            all,
            [
                "__Host-Http-cs-refresh=v; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Strict",
                "__Host-cs-csrf=; Path=/; Max-Age=0; Secure; SameSite=Strict",
            ]
        );
    }

    /// B11: never truncated, never silently too long.
    #[test]
    fn b11_too_long_is_not_written() {
        let mut headers = HeaderMap::new();
        set(&mut headers, &policy(), CookieKind::Access, &"x".repeat(4090), Duration::from_secs(1));
        assert!(headers.is_empty());
    }

    #[test]
    fn upstreams_cannot_set_ours() {
        let mut headers = HeaderMap::new();
        for v in ["__Host-Http-cs-access=evil; Path=/", "sid=1; Path=/", "__HOST-cs-hint=0"] {
            headers.append(SET_COOKIE, HeaderValue::from_static(v));
        }
        strip_set_cookie(&mut headers, &policy());
        assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["sid=1; Path=/"]);
    }
}
