//! Set-Cookie, read to the attribute (RFC 6265bis §5.6).

use countersign_core::domain::time::Timestamp;

use crate::secret::Secret;

/// `SameSite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never from another site.
    Strict,
    /// From another site with top-level GET navigations only.
    Lax,
    /// From everywhere.
    None,
    /// Not said: browsers differ. Chromium treats it as Lax (with POST for two minutes), Firefox and Safari as None.
    Unsaid,
}

/// A cookie as a server set it.
#[derive(Debug, Clone)]
pub struct SetCookie {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Secret,
    /// `Domain`, without a leading dot.
    pub domain: Option<String>,
    /// `Path`.
    pub path: Option<String>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `Partitioned`.
    pub partitioned: bool,
    /// `SameSite`.
    pub same_site: SameSite,
    /// Seconds from now until it goes: of `Max-Age`, else of `Expires`; `None` for a session cookie.
    pub lives: Option<i64>,
}

impl SetCookie {
    /// Reads one header value; `None` if a browser would ignore it. `now` is for `Expires`.
    #[must_use]
    pub fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let mut parts = text.split(';');
        let pair = parts.next()?;
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() && value.is_empty() {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            value: Secret::new(value),
            domain: None,
            path: None,
            secure: false,
            http_only: false,
            partitioned: false,
            same_site: SameSite::Unsaid,
            lives: None,
        };
        let (mut max_age, mut expires) = (None, None);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    cookie.domain = Some(domain).filter(|domain| !domain.is_empty());
                }
                "path" => cookie.path = value.starts_with('/').then(|| value.to_owned()),
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "partitioned" => cookie.partitioned = true,
                "samesite" => {
                    cookie.same_site = match value.to_ascii_lowercase().as_str() {
                        "strict" => SameSite::Strict,
                        "lax" => SameSite::Lax,
                        "none" => SameSite::None,
                        _ => SameSite::Unsaid,
                    }
                }
                "max-age" => max_age = value.parse::<i64>().ok(),
                "expires" => expires = http_date(value).map(|at| at.as_secs().saturating_sub(now.as_secs())),
                _ => {}
            }
        }
        cookie.lives = max_age.or(expires);
        Some(cookie)
    }

    /// Whether it takes the cookie away.
    #[must_use]
    pub fn clears(&self) -> bool {
        self.lives.is_some_and(|seconds| seconds <= 0)
    }

    /// Whether name prefix and attributes agree (RFC 6265bis §4.1.3); a browser drops it if not.
    #[must_use]
    pub fn keeps_its_prefix(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        if name.starts_with("__host-") {
            return self.secure && self.domain.is_none() && self.path.as_deref() == Some("/");
        }
        !name.starts_with("__secure-") || self.secure
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, also with hyphens as old servers write it.
#[must_use]
pub fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let rest = text.split_once(',').map_or(text, |(_weekday, rest)| rest);
    let rest = rest.replace('-', " ");
    let mut words = rest.split_whitespace();
    let day: u32 = words.next()?.parse().ok()?;
    let month = words.next()?.to_ascii_lowercase();
    let month = MONTHS.iter().position(|name| month.starts_with(name))? + 1;
    let year: u32 = words.next()?.parse().ok()?;
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    let time = words.next()?;
    Timestamp::parse_rfc3339(&format!("{year:04}-{month:02}-{day:02}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(784_111_777);

    fn parse(text: &str) -> SetCookie {
        SetCookie::parse(text, NOW).unwrap()
    }

    #[test]
    fn attributes_are_read_exactly() {
        let full = parse(
            "__Host-x=a=b; path=/; SECURE; HttpOnly ; SameSite=strict; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        );
        assert_eq!((&*full.name, full.value.expose(), full.path.as_deref()), ("__Host-x", "a=b", Some("/")));
        assert!(full.secure && full.http_only && full.keeps_its_prefix() && !full.clears());
        assert_eq!((full.same_site, full.lives), (SameSite::Strict, Some(60)));
        let bare = parse("sid=1; Domain=.Example.com; SameSite=what; Secured");
        assert!(!bare.secure && !bare.http_only);
        assert_eq!(
            (bare.domain.as_deref(), bare.same_site, bare.lives),
            (Some("example.com"), SameSite::Unsaid, None)
        );
        assert!(SetCookie::parse("=", NOW).is_none());
        assert_eq!(parse("nameless").name, "");
    }

    #[test]
    fn dates_and_deletion() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(NOW));
        assert_eq!(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), Some(NOW));
        assert_eq!(http_date("soon"), None);
        assert!(
            parse("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT").clears() && parse("a=; Max-Age=0").clears()
        );
        assert_eq!(parse("a=b; Expires=Sun, 06 Nov 1994 09:49:37 GMT").lives, Some(3600));
    }

    /// B01: what a browser would drop is no protection.
    #[test]
    fn b01_prefixes_need_their_attributes() {
        for bad in [
            "__Host-a=b; Secure",
            "__Host-a=b; Path=/",
            "__host-a=b; Secure; Path=/; Domain=x.test",
            "__Secure-a=b",
        ] {
            assert!(!parse(bad).keeps_its_prefix(), "{bad}");
        }
        assert!(parse("__Secure-a=b; Secure").keeps_its_prefix() && parse("a=b").keeps_its_prefix());
    }
}
