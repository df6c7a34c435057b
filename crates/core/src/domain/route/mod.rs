//! Routes: which path asks for what (design §9). Matched after normalisation; a path that two readers could take for
//! different routes is refused or gets the stricter of both (C07, K05).

mod reading;

use std::collections::HashMap;
use std::time::Duration;

use super::scope::ScopeSet;
pub use reading::normalise;
use reading::{Reader, is_plain, lax, variants};

/// Bytes of the longest path with dots, escapes or doubled slashes that is looked into: each way of reading it takes a copy.
const LONGEST_ODD: usize = 4096;
/// Bytes that are read of all copies of one path. A name of 255 bytes, each of them escaped, is within it in every way of reading;
/// so is the longest path whose readings do not differ early. Nobody honest sends more: it is refused.
const MOST_READ: usize = 48 * 1024;

/// Whether a route asks for a principal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RouteAuth {
    /// Cookies are not read, nothing is set, caching is untouched.
    None,
    /// Identity if there is one.
    Optional,
    /// No principal, no entry.
    Required,
}

/// How a route is protected against CSRF.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RouteCsrf {
    /// Not at all: for webhooks, only with [`RouteAuth::None`].
    Off,
    /// Fetch Metadata and Origin.
    Origin,
    /// These and a session-bound token.
    Token,
}

/// Who answers CORS preflights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteCors {
    /// We do, by `[cors] allowed_origins`.
    Countersign,
    /// The upstream does.
    Upstream,
}

/// What a route asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteRule {
    /// Index of the upstream.
    pub upstream: usize,
    /// Principal.
    pub auth: RouteAuth,
    /// CSRF protection.
    pub csrf: RouteCsrf,
    /// CORS.
    pub cors: RouteCors,
    /// Whether a navigation without its Strict cookies is bounced.
    pub bounce: bool,
    /// Scopes that the principal needs, all of them.
    pub scope: ScopeSet,
    /// How long ago the user may have proved who they are.
    pub max_auth_age: Option<Duration>,
    /// Time to the first response byte; `None` for the default.
    pub first_byte: Option<Duration>,
    /// Time between two bytes; `None` for the default, zero for no limit.
    pub between_bytes: Option<Duration>,
    /// Some method on this path hands out or ends the upstream's own tokens ([`super::retrofit`]).
    pub tokens: bool,
}

impl RouteRule {
    /// The default for an upstream: identity required, origin check, bounced.
    #[must_use]
    pub fn protected(upstream: usize) -> Self {
        Self {
            upstream,
            auth: RouteAuth::Required,
            csrf: RouteCsrf::Origin,
            cors: RouteCors::Countersign,
            bounce: true,
            scope: ScopeSet::default(),
            max_auth_age: None,
            first_byte: None,
            between_bytes: None,
            tokens: false,
        }
    }

    /// Everything that either rule asks for. The upstream is `self`'s.
    #[must_use]
    fn stricter(&self, other: &Self) -> Self {
        let scope = self.scope.iter().chain(other.scope.iter());
        Self {
            auth: self.auth.max(other.auth),
            csrf: self.csrf.max(other.csrf),
            scope: ScopeSet::from_names(scope).unwrap_or_default(),
            max_auth_age: match (self.max_auth_age, other.max_auth_age) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            tokens: self.tokens || other.tokens,
            ..self.clone()
        }
    }
}

/// A path pattern: exact, or `prefix/*`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pattern {
    path: Box<str>,
    prefix: bool,
}

/// A pattern that is neither.
#[derive(Debug, thiserror::Error)]
#[error("path {0:?} is neither an exact path (/a/b) nor a prefix (/a/*), in its normal form")]
pub struct InvalidPattern(String);

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`].
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let bad = || InvalidPattern(text.chars().take(200).collect());
        let (path, prefix) = match text.strip_suffix('*') {
            Some(path) if path.ends_with('/') => (path, true),
            Some(_) => return Err(bad()),
            None => (text, false),
        };
        if path.contains(['*', '?', '#']) || normalise(path).as_deref() != Some(path) {
            return Err(bad());
        }
        Ok(Self { path: path.into(), prefix })
    }
}

/// All routes of a gateway, the most specific match wins: exact before prefix, longer prefix before shorter.
#[derive(Debug, Default)]
pub struct RouteTable {
    rules: Vec<RouteRule>,
    exact: HashMap<Box<str>, usize>,
    prefixes: Vec<(Box<str>, usize)>,
    /// The same in lower case, for upstreams that ignore it; several patterns may become one.
    exact_folded: HashMap<String, Vec<usize>>,
    prefixes_folded: Vec<(String, usize)>,
}

/// What a request path maps to.
#[derive(Debug, PartialEq, Eq)]
pub enum Matched<'t> {
    /// A rule as configured.
    Rule(&'t RouteRule),
    /// The stricter of several that different readers of the path would apply.
    Merged(Box<RouteRule>),
    /// No route, or a path that reads as different routes: 404.
    NotFound,
}

impl Matched<'_> {
    /// The rule, if there is one.
    #[must_use]
    pub fn rule(&self) -> Option<&RouteRule> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Merged(rule) => Some(rule),
            Self::NotFound => None,
        }
    }
}

impl RouteTable {
    /// Builds the table. Later rules with an equal pattern replace earlier ones.
    #[must_use]
    pub fn new(routes: impl IntoIterator<Item = (Pattern, RouteRule)>) -> Self {
        let mut table = Self::default();
        for (pattern, rule) in routes {
            let index = table.rules.len();
            table.rules.push(rule);
            let folded = pattern.path.to_lowercase();
            if pattern.prefix {
                table.prefixes_folded.push((folded, index));
                table.prefixes.retain(|(path, _)| *path != pattern.path);
                table.prefixes.push((pattern.path, index));
            } else {
                table.exact_folded.entry(folded).or_default().push(index);
                table.exact.insert(pattern.path, index);
            }
        }
        table.prefixes.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        table
    }

    /// Finds what a raw request path (no query) asks for.
    #[must_use]
    pub fn find(&self, raw: &str) -> Matched<'_> {
        let Some((index, specificity)) = self.index(raw) else { return Matched::NotFound };
        let Some(rule) = self.rules.get(index) else { return Matched::NotFound };
        if self.rules.len() == 1 && specificity == 1 {
            // One route for everything: every reading of the path is it.
            return Matched::Rule(rule);
        }
        let mut readings = vec![raw.to_owned()];
        if !is_plain(raw) {
            if raw.len() > LONGEST_ODD {
                return Matched::NotFound;
            }
            // Dot segments, encoded slashes, doubled slashes, parameters: the upstream may read another path than we do.
            // If any reading belongs to another route, nobody honest sent it. All are compared and not only the most eager one:
            // `/assets/../admin//../assets/x` is an asset as it stands and fully normalised, but not to RFC 3986.
            let lax = lax(raw);
            let mut paths = vec![raw];
            if lax != raw {
                paths.push(&lax);
            }
            let mut read = 0;
            for (reader, raw) in
                paths.iter().flat_map(|raw| Reader::of(raw).map(move |reader| (reader, *raw)))
            {
                read += raw.len();
                if read > MOST_READ {
                    return Matched::NotFound;
                }
                let Some(reading) = reader.read(raw) else { return Matched::NotFound };
                if self.index(&reading).is_none_or(|(other, _)| other != index) {
                    return Matched::NotFound;
                }
                if !readings.contains(&reading) {
                    readings.push(reading);
                }
            }
        }
        let mut merged: Option<RouteRule> = None;
        // Many frameworks ignore case and a final slash: where that reading has a more specific rule, what it asks for holds too.
        for variant in readings.iter().flat_map(|reading| variants(reading)) {
            for (other, _) in self.folded(&variant).filter(|(i, s)| *i != index && *s > specificity) {
                let Some(other) = self.rules.get(other) else { continue };
                let stricter = merged.as_ref().unwrap_or(rule).stricter(other);
                if stricter != *rule {
                    merged = Some(stricter);
                }
            }
        }
        merged.map_or(Matched::Rule(rule), |rule| Matched::Merged(Box::new(rule)))
    }

    /// Every rule that a path in lower case may mean to a reader without regard to case, and how specific it is.
    fn folded(&self, path: &str) -> impl Iterator<Item = (usize, usize)> {
        let exact = self.exact_folded.get(path).into_iter().flatten().map(|i| (*i, usize::MAX));
        let prefixes = self.prefixes_folded.iter().filter(|(prefix, _)| path.starts_with(prefix.as_str()));
        exact.chain(prefixes.map(|(prefix, i)| (*i, prefix.len())))
    }

    /// The rule's index and how specific its pattern is.
    fn index(&self, path: &str) -> Option<(usize, usize)> {
        if let Some(index) = self.exact.get(path) {
            return Some((*index, usize::MAX));
        }
        let found = self.prefixes.iter().find(|(prefix, _)| path.starts_with(&**prefix));
        found.map(|(prefix, index)| (*index, prefix.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(auth: RouteAuth) -> RouteRule {
        RouteRule { auth, ..RouteRule::protected(0) }
    }

    fn table() -> RouteTable {
        let admin = RouteRule { scope: ScopeSet::parse("admin").unwrap(), ..RouteRule::protected(0) };
        RouteTable::new([
            (Pattern::parse("/*").unwrap(), rule(RouteAuth::Required)),
            (Pattern::parse("/assets/*").unwrap(), rule(RouteAuth::None)),
            (Pattern::parse("/hook").unwrap(), rule(RouteAuth::None)),
            (Pattern::parse("/api/admin/*").unwrap(), admin),
        ])
    }

    fn auth(path: &str) -> Option<RouteAuth> {
        table().find(path).rule().map(|r| r.auth)
    }

    #[test]
    fn most_specific_wins() {
        assert_eq!(auth("/hook"), Some(RouteAuth::None));
        assert_eq!(auth("/assets/a.css"), Some(RouteAuth::None));
        assert_eq!(auth("/"), Some(RouteAuth::Required));
        assert_eq!(auth("/files/a%20b.txt"), Some(RouteAuth::Required));
        let table = RouteTable::new([
            (Pattern::parse("/*").unwrap(), rule(RouteAuth::Required)),
            (Pattern::parse("/Files/*").unwrap(), rule(RouteAuth::Optional)),
        ]);
        for path in ["/Files/100%25", "/Files/%C3%A4%25", "/Files/M%FCller.pdf", "/Files/%u00e4"] {
            assert_eq!(table.find(path).rule().unwrap().auth, RouteAuth::Optional, "{path}");
        }
        assert_eq!(auth("/a/./b"), Some(RouteAuth::Required), "odd, but every reading is the same route");
    }

    /// C07, K05: a spelling that some frameworks read as a more specific path gets everything that either of the two asks for.
    #[test]
    fn c07_what_either_rule_asks_for() {
        let minute = Duration::from_secs(60);
        let open = RouteRule { csrf: RouteCsrf::Origin, ..rule(RouteAuth::None) };
        let strict = RouteRule {
            csrf: RouteCsrf::Token,
            scope: ScopeSet::parse("admin").unwrap(),
            max_auth_age: Some(minute),
            tokens: true,
            ..rule(RouteAuth::Required)
        };
        let merged = |of_all: &RouteRule, of_one: &RouteRule| {
            let rules =
                [("/*", of_all), ("/one", of_one)].map(|(p, r)| (Pattern::parse(p).unwrap(), r.clone()));
            let table = RouteTable::new(rules);
            assert_eq!(table.find("/one").rule(), Some(of_one));
            ["/one/", "/ONE"].map(|path| table.find(path).rule().unwrap().clone())
        };
        for (of_all, of_one) in [(&open, &strict), (&strict, &open)] {
            for both in merged(of_all, of_one) {
                assert_eq!(both, strict);
            }
        }
        let older = RouteRule { max_auth_age: Some(2 * minute), ..strict.clone() };
        for both in merged(&older, &strict) {
            assert_eq!(both.max_auth_age, Some(minute));
        }
    }

    /// C07: of two equally specific routes that differ in case alone, each asks for what it says and no more.
    #[test]
    fn c07_routes_that_differ_in_case() {
        let table = RouteTable::new([
            (Pattern::parse("/Files/*").unwrap(), rule(RouteAuth::Required)),
            (Pattern::parse("/files/*").unwrap(), rule(RouteAuth::None)),
        ]);
        assert_eq!(table.find("/files/x").rule().unwrap().auth, RouteAuth::None);
        assert_eq!(table.find("/Files/x").rule().unwrap().auth, RouteAuth::Required);
    }

    /// C07: one route is no licence for spellings either, unless it is for everything.
    #[test]
    fn c07_a_single_route() {
        let only = |path: &str| RouteTable::new([(Pattern::parse(path).unwrap(), rule(RouteAuth::None))]);
        assert!(only("/app/*").find("/app/x").rule().is_some());
        assert!(only("/app/*").find("/app/../x").rule().is_none());
        assert!(only("/*").find("/app/../x").rule().is_some());
    }

    /// C07: odd paths are looked into up to a length, plain ones are compared at any.
    #[test]
    fn c07_long_odd_paths_are_nobodys() {
        let odd = |length: usize| format!("{:a<length$}", "/x/./");
        let found = |path: &str| auth(path).is_some();
        assert!(found(&odd(LONGEST_ODD)));
        assert!(!found(&odd(LONGEST_ODD + 1)));
        assert!(!found(&odd(2 * LONGEST_ODD)));
        assert!(found(&format!("/{}", "a".repeat(2 * LONGEST_ODD))));
    }

    /// C07, K05: no spelling of another path is exempt.
    #[test]
    fn c07_exemptions_cannot_be_spelled() {
        for spelled in ["/hook/", "/HOOK", "/hook/x"] {
            assert_eq!(auth(spelled), Some(RouteAuth::Required), "{spelled}");
        }
        for odd in [
            "//hook",
            "/a/../hook",
            "/%2e/hook",
            "/hoo%6b",
            "/hook;x",
            "/hook%2f",
            "/./hook",
            "/x/%2e%2e/hook",
            "/a%2f..%2fhook",
        ] {
            assert_ne!(auth(odd), Some(RouteAuth::None), "{odd}");
        }
        for escape in [
            "/assets/../api/me",
            "/assets/..%2fapi/me",
            "/assets/%2e%2e/api/me",
            "/assets/..;/api/me",
            "/assets/..\\api",
            "/assets/%252e%252e/api",
            "/assets/%00",
            "/assets/%c0%ae%c0%ae/api/me",
            "/assets/%25c0%25ae%25c0%25ae/api/me",
            "/assets/%e0%80%ae%e0%80%ae%C0%AFapi",
            "/assets/%u002e%u002e/api/me",
            "/assets/..%u2215api",
        ] {
            assert_eq!(auth(escape), None, "{escape}");
        }
    }

    /// A stricter rule holds for every spelling that a framework might accept for it.
    #[test]
    fn stricter_rules_hold_for_variants() {
        for path in ["/api/admin/x", "/API/admin/x", "/api/admin", "/Api/Admin"] {
            let table = table();
            let found = table.find(path);
            assert_eq!(found.rule().unwrap().scope.to_string(), "admin", "{path}");
        }
        assert!(table().find("/api/administer").rule().unwrap().scope.is_empty());
        // However the pattern itself is written.
        let admin = RouteRule { scope: ScopeSet::parse("admin").unwrap(), ..RouteRule::protected(0) };
        let table = RouteTable::new([
            (Pattern::parse("/*").unwrap(), rule(RouteAuth::Required)),
            (Pattern::parse("/Admin/*").unwrap(), admin.clone()),
            (Pattern::parse("/Report").unwrap(), admin),
        ]);
        for path in
            ["/Admin/x", "/admin/x", "/ADMIN/x", "/aDmin", "/%61dmin/x", "/Report", "/report", "/REPORT/"]
        {
            assert_eq!(table.find(path).rule().unwrap().scope.to_string(), "admin", "{path}");
        }
    }

    /// C07: what would take long to read in every way is refused; long names are not.
    #[test]
    fn c07_reading_is_bounded() {
        let table = table();
        let name = "%E6%96%87".repeat(85);
        for honest in [
            format!("/assets/{name}"),
            format!("/assets/{name}/{name}.pdf"),
            format!("/assets/{name};v=1"),
            format!("/assets/{}", "%E6%96%87".repeat(450)),
        ] {
            assert_eq!(table.find(&honest).rule().unwrap().auth, RouteAuth::None, "{honest}");
        }
        let odd = format!("/assets/{}", "%255c;//%c0%ae".repeat(200));
        assert_eq!(table.find(&odd), Matched::NotFound);
    }

    #[test]
    fn patterns() {
        for good in ["/", "/*", "/a", "/a/*", "/a/b.c"] {
            assert!(Pattern::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "/a*", "/*/b", "/a//b", "/a/../b", "/a?b", "/%61"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
