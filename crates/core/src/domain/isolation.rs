//! Which cookie-bearing requests act for the user (design §7 "CSRF and isolation"; C01, C05, C06).

/// Origins that may act: `public_url` first, then the allowed ones, each as a browser serialises it.
#[derive(Clone, Debug)]
pub struct Origins(Vec<Box<str>>);

impl Origins {
    /// From serialised origins (`https://app.example.com`, port only if not the default).
    #[must_use]
    pub fn new(public: &str, allowed: impl IntoIterator<Item = String>) -> Self {
        Self(std::iter::once(public.into()).chain(allowed.into_iter().map(Into::into)).collect())
    }

    /// Exact comparison of the header value: scheme, host and port (C06). `null`, suffixes, user info and paths fail.
    #[must_use]
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|o| **o == *origin)
    }

    /// The application's own origin.
    #[must_use]
    pub fn public(&self) -> &str {
        self.0.first().map_or("", |o| o)
    }
}

/// What a request says about where it comes from. A header that is there twice counts as unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provenance<'r> {
    /// GET, HEAD or OPTIONS.
    pub safe_method: bool,
    /// The method is GET.
    pub get: bool,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'r str>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'r str>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'r str>,
    /// `Origin`.
    pub origin: Option<&'r str>,
    /// The request asks for an upgrade to WebSocket.
    pub websocket: bool,
}

/// What becomes of its cookies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// They count.
    Identity,
    /// They are ignored: `<img src="/api/delete-account">` acts as nobody.
    WithoutIdentity,
    /// The request is refused: 403 `origin_denied`.
    Refused,
}

impl Provenance<'_> {
    /// A top-level GET navigation: not a frame, embed or object; `empty` is a service worker forwarding one.
    #[must_use]
    pub fn is_top_level_navigation(&self) -> bool {
        self.get && self.mode == Some("navigate") && matches!(self.dest, Some("document" | "empty"))
    }

    /// Decides for a request that carries cookies of ours.
    #[must_use]
    pub fn isolate(&self, origins: &Origins) -> Isolation {
        if self.websocket {
            // WebSocket requests are not subject to the same-origin policy: any page may open one with our cookies.
            return if self.origin.is_some_and(|o| origins.allow(o)) {
                Isolation::Identity
            } else {
                Isolation::Refused
            };
        }
        if matches!(self.site, Some("same-origin" | "none")) || self.origin.is_some_and(|o| origins.allow(o))
        {
            return Isolation::Identity;
        }
        if !self.safe_method {
            return Isolation::Refused;
        }
        if self.is_top_level_navigation() || (self.site.is_none() && self.origin.is_none()) {
            return Isolation::Identity;
        }
        Isolation::WithoutIdentity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new("https://app.example.com", ["https://admin.example.com:8443".to_owned()])
    }

    fn from(
        method: &str,
        site: Option<&'static str>,
        mode: &'static str,
        dest: &'static str,
        origin: Option<&'static str>,
    ) -> Isolation {
        Provenance {
            safe_method: matches!(method, "GET" | "HEAD" | "OPTIONS"),
            get: method == "GET",
            site,
            mode: site.map(|_| mode),
            dest: site.map(|_| dest),
            origin,
            websocket: false,
        }
        .isolate(&origins())
    }

    /// C05: the table.
    #[test]
    fn c05_fetch_metadata() {
        use Isolation::{Identity, Refused, WithoutIdentity};
        assert_eq!(from("POST", Some("same-origin"), "cors", "empty", None), Identity);
        assert_eq!(from("GET", Some("none"), "navigate", "document", None), Identity);
        for site in ["same-site", "cross-site", "bogus"] {
            assert_eq!(from("POST", Some(site), "navigate", "document", None), Refused, "{site}");
            assert_eq!(from("POST", Some(site), "cors", "empty", Some("https://evil.example")), Refused);
            assert_eq!(
                from("POST", Some(site), "cors", "empty", Some("https://admin.example.com:8443")),
                Identity
            );
            assert_eq!(from("GET", Some(site), "navigate", "document", None), Identity);
            assert_eq!(from("GET", Some(site), "navigate", "empty", None), Identity, "service worker");
            for frame in ["iframe", "frame", "embed", "object"] {
                assert_eq!(from("GET", Some(site), "navigate", frame, None), WithoutIdentity);
            }
            assert_eq!(from("GET", Some(site), "no-cors", "image", None), WithoutIdentity);
            assert_eq!(from("HEAD", Some(site), "navigate", "document", None), WithoutIdentity);
        }
        assert_eq!(from("POST", None, "", "", None), Refused, "both absent, unsafe");
        assert_eq!(from("GET", None, "", "", None), Identity, "both absent, safe");
        assert_eq!(from("GET", None, "", "", Some("https://evil.example")), WithoutIdentity);
    }

    /// C06: the application's own origin is the first, whatever else is allowed.
    #[test]
    fn c06_the_public_origin() {
        let origins = Origins::new("https://app.example", ["https://a.example".into()]);
        assert_eq!(origins.public(), "https://app.example");
    }

    /// C06: scheme, host, port; nothing fuzzy.
    #[test]
    fn c06_exact_origin() {
        let o = origins();
        assert!(o.allow("https://app.example.com"));
        for bad in [
            "null",
            "",
            "http://app.example.com",
            "https://app.example.com:444",
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "https://user@app.example.com",
            "https://app.example.com/",
            "https://APP.example.com",
            "https://admin.example.com",
        ] {
            assert!(!o.allow(bad), "{bad}");
        }
    }

    /// K10: a WebSocket upgrade needs an allowed Origin, whatever Fetch Metadata says.
    #[test]
    fn k10_websocket_needs_an_origin() {
        let ws = |origin, site| {
            Provenance {
                safe_method: true,
                get: true,
                site,
                origin,
                websocket: true,
                ..Provenance::default()
            }
            .isolate(&origins())
        };
        assert_eq!(ws(Some("https://app.example.com"), None), Isolation::Identity);
        assert_eq!(ws(None, None), Isolation::Refused);
        assert_eq!(ws(None, Some("same-origin")), Isolation::Refused);
        assert_eq!(ws(Some("https://evil.example"), None), Isolation::Refused);
    }
}
