//! One browser's cookies, and which of them it would attach.

use url::Url;

use super::ask::From;
use super::set_cookie::{SameSite, SetCookie};
use crate::target::Target;

/// A cookie in a jar.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As it was set.
    pub cookie: SetCookie,
    /// The host that set it; it goes to subdomains only with `Domain`.
    pub host: String,
    /// Where it goes.
    pub path: String,
}

/// One browser's cookies.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    kept: Vec<Kept>,
}

impl Jar {
    /// Takes what an answer set, as a browser would.
    pub fn take(&mut self, url: &Url, cookie: &SetCookie) {
        let host = url.host_str().unwrap_or_default().to_owned();
        if !cookie.keeps_its_prefix() {
            return;
        }
        if let Some(domain) = &cookie.domain
            && *domain != host
            && !host.ends_with(&format!(".{domain}"))
        {
            return;
        }
        let path = cookie.path.clone().unwrap_or_else(|| default_path(url.path()));
        self.kept.retain(|kept| {
            !(kept.cookie.name == cookie.name
                && kept.path == path
                && kept.cookie.domain == cookie.domain
                && kept.host == host)
        });
        if !cookie.clears() {
            self.kept.push(Kept { cookie: cookie.clone(), host, path });
        }
    }

    /// All cookies.
    #[must_use]
    pub fn all(&self) -> &[Kept] {
        &self.kept
    }

    /// The cookie of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&SetCookie> {
        self.kept.iter().find(|kept| kept.cookie.name == name).map(|kept| &kept.cookie)
    }

    /// Takes a cookie away.
    pub fn remove(&mut self, name: &str) {
        self.kept.retain(|kept| kept.cookie.name != name);
    }

    /// The `Cookie` header that a browser would send with this request; `None` for none.
    #[must_use]
    pub fn header(&self, url: &Url, method: &str, from: &From) -> Option<String> {
        let pairs: Vec<String> = self
            .kept
            .iter()
            .filter(|kept| kept.goes_to(url) && kept.goes_from(method, from))
            .map(|kept| {
                let (name, value) = (&kept.cookie.name, kept.cookie.value.expose());
                if name.is_empty() { value.to_owned() } else { format!("{name}={value}") }
            })
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Kept {
    fn goes_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let below = |domain: &String| host == domain || host.ends_with(&format!(".{domain}"));
        let host_fits = self.cookie.domain.as_ref().map_or(host == self.host, below);
        let path = url.path();
        let path_fits = path == self.path
            || path
                .strip_prefix(&self.path)
                .is_some_and(|rest| self.path.ends_with('/') || rest.starts_with('/'));
        // Browsers count loopback as trustworthy, TLS or not.
        let secure_fits = !self.cookie.secure
            || url.scheme() == "https"
            || Target::parse(url.as_str()).is_ok_and(|target| target.is_local());
        host_fits && path_fits && secure_fits
    }

    /// `SameSite`, as browsers apply it.
    fn goes_from(&self, method: &str, from: &From) -> bool {
        if !from.is_cross_site() {
            return true;
        }
        match self.cookie.same_site {
            SameSite::Strict => false,
            SameSite::Lax => from.is_top_level() && matches!(method, "GET" | "HEAD"),
            // Firefox and Safari attach it, so an attacker can count on it for many victims.
            SameSite::None | SameSite::Unsaid => true,
        }
    }
}

/// RFC 6265bis §5.1.4.
fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(at) => path.get(..at).unwrap_or("/").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::domain::time::Timestamp;

    fn jar(cookies: &[&str]) -> (Jar, Url) {
        let url = Url::parse("https://app.test/login").unwrap();
        let mut jar = Jar::default();
        for cookie in cookies {
            jar.take(&url, &SetCookie::parse(cookie, Timestamp::from_secs(0)).unwrap());
        }
        (jar, url)
    }

    fn sent(jar: &Jar, url: &Url, method: &str, from: &From) -> String {
        jar.header(url, method, from).unwrap_or_default()
    }

    /// B08: what SameSite does and does not keep back.
    #[test]
    fn b08_same_site_as_browsers_apply_it() {
        let (jar, url) =
            jar(&["s=1; SameSite=Strict", "l=1; SameSite=Lax", "n=1; SameSite=None; Secure", "u=1"]);
        let cross = |kind: fn(String) -> From| kind("https://evil.test".into());
        assert_eq!(sent(&jar, &url, "POST", &From::Page), "s=1; l=1; n=1; u=1");
        assert_eq!(sent(&jar, &url, "POST", &cross(From::CrossForm)), "n=1; u=1");
        assert_eq!(sent(&jar, &url, "GET", &cross(From::CrossLink)), "l=1; n=1; u=1");
        assert_eq!(sent(&jar, &url, "GET", &cross(From::CrossImage)), "n=1; u=1");
    }

    #[test]
    fn replacement_deletion_and_paths() {
        let (mut jar, url) = jar(&[
            "a=1; Path=/",
            "a=2; Path=/",
            "p=1; Path=/api",
            "d=1; Domain=test",
            "x=1; Domain=evil.test",
        ]);
        assert_eq!(sent(&jar, &url, "GET", &From::Page), "a=2; d=1");
        assert_eq!(sent(&jar, &url.join("/api/x").unwrap(), "GET", &From::Page), "a=2; p=1; d=1");
        assert_eq!(sent(&jar, &url.join("/apix").unwrap(), "GET", &From::Page), "a=2; d=1");
        jar.take(&url, &SetCookie::parse("a=; Path=/; Max-Age=0", Timestamp::from_secs(0)).unwrap());
        assert!(jar.named("a").is_none());
        let plain = Url::parse("http://app.test/").unwrap();
        let (secure, _) = self::jar(&["s=1; Secure"]);
        assert_eq!(sent(&secure, &plain, "GET", &From::Page), "");
    }
}
