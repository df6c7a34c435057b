//! What was typed: every key optional, every value parsed by its own type.
//!
//! The structs read themselves instead of deriving `Deserialize`: serde stops at the first fault and cannot say
//! that a value came from a variable, and whoever mends a configuration wants all faults at once, each with its
//! origin.

mod leaf;
mod reader;
mod sections;

pub(super) use leaf::{Leaf, Misfit};
pub(super) use sections::{
    Accounts, ApiKeys, Client, Cookies, Cors, Csrf, ForwardAuth, Issuer, Keys, Limits, Listen, Log, Mail,
    OpenSessions, Pages, Passwords, Retrofit, Revocation, Root, Rotation, Route, Throttle, Tls, Tokens,
    Upstream,
};

use super::finding::Finding;
use super::problem::Problem;
use super::{Sources, suggest};
use reader::Reader;

/// Everything that was typed.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) root: Root,
    pub(super) listen: Listen,
    pub(super) tls: Tls,
    pub(super) tokens: Tokens,
    pub(super) rotation: Rotation,
    pub(super) revocation: Revocation,
    pub(super) cookies: Cookies,
    pub(super) csrf: Csrf,
    pub(super) cors: Cors,
    pub(super) accounts: Accounts,
    pub(super) pages: Pages,
    pub(super) api_keys: ApiKeys,
    pub(super) mail: Mail,
    pub(super) log: Log,
    pub(super) keys: Keys,
    pub(super) passwords: Passwords,
    pub(super) throttle: Throttle,
    pub(super) forward_auth: ForwardAuth,
    pub(super) limits: Limits,
    pub(super) issuers: Vec<Issuer>,
    pub(super) open_sessions: OpenSessions,
    pub(super) clients: Vec<Client>,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) routes: Vec<Route>,
    pub(super) retrofits: Vec<Retrofit>,
}

/// Each `[section]` with its keys.
pub(super) const SECTIONS: &[(&str, &[&str])] = &[
    ("listen", Listen::KEYS),
    ("tls", Tls::KEYS),
    ("tokens", Tokens::KEYS),
    ("rotation", Rotation::KEYS),
    ("revocation", Revocation::KEYS),
    ("cookies", Cookies::KEYS),
    ("csrf", Csrf::KEYS),
    ("cors", Cors::KEYS),
    ("accounts", Accounts::KEYS),
    ("pages", Pages::KEYS),
    ("api_keys", ApiKeys::KEYS),
    ("mail", Mail::KEYS),
    ("log", Log::KEYS),
    ("keys", Keys::KEYS),
    ("passwords", Passwords::KEYS),
    ("throttle", Throttle::KEYS),
    ("forward_auth", ForwardAuth::KEYS),
    ("limits", Limits::KEYS),
    ("open_sessions", OpenSessions::KEYS),
];

/// Each `[[list]]` with the keys of its entries.
pub(super) const LISTS: &[(&str, &[&str])] = &[
    ("issuer", Issuer::KEYS),
    ("client", Client::KEYS),
    ("upstream", Upstream::KEYS),
    ("route", Route::KEYS),
    ("retrofit", Retrofit::KEYS),
];

const ISSUER_NEEDS: &[(&str, &str)] = &[("issuer", "set issuer = \"https://login.example.com\"")];
const CLIENT_NEEDS: &[(&str, &str)] = &[
    ("id", "set id = \"ios\""),
    ("transport", "set transport = \"body\" for a native application, \"memory\" for a front end"),
];
const UPSTREAM_NEEDS: &[(&str, &str)] =
    &[("name", "set name = \"app\""), ("url", "set url = \"http://localhost:3000\"")];
const ROUTE_NEEDS: &[(&str, &str)] = &[("path", "set path = \"/api/*\", or an exact path")];
const RETROFIT_NEEDS: &[(&str, &str)] =
    &[("login", "name the requests whose answers bring a token: login = [\"POST /api/login\"]")];

/// The dotted keys that a variable can set.
pub(super) fn scalar_keys() -> Vec<String> {
    let root = Root::KEYS.iter().map(|key| (*key).to_owned());
    let nested =
        SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")));
    root.chain(nested).collect()
}

impl Typed {
    /// Reads all layers. Findings are about variables that set nothing; problems are all that could not be read.
    pub(super) fn read(sources: &Sources) -> (Self, Vec<Finding>, Vec<Problem>) {
        let (overrides, findings) = sources.overrides(&scalar_keys());
        let mut problems = Vec::new();
        refuse_unknown_sections(sources, &mut problems);
        let mut reader = Reader::new(sources, &overrides, &mut problems);
        let typed = Self {
            root: Root::read(&mut reader),
            listen: reader.section("listen", Listen::read),
            tls: reader.section("tls", Tls::read),
            tokens: reader.section("tokens", Tokens::read),
            rotation: reader.section("rotation", Rotation::read),
            revocation: reader.section("revocation", Revocation::read),
            cookies: reader.section("cookies", Cookies::read),
            csrf: reader.section("csrf", Csrf::read),
            cors: reader.section("cors", Cors::read),
            accounts: reader.section("accounts", Accounts::read),
            pages: reader.section("pages", Pages::read),
            api_keys: reader.section("api_keys", ApiKeys::read),
            mail: reader.section("mail", Mail::read),
            log: reader.section("log", Log::read),
            keys: reader.section("keys", Keys::read),
            passwords: reader.section("passwords", Passwords::read),
            throttle: reader.section("throttle", Throttle::read),
            forward_auth: reader.section("forward_auth", ForwardAuth::read),
            limits: reader.section("limits", Limits::read),
            issuers: reader.list("issuer", ISSUER_NEEDS, Issuer::read),
            open_sessions: reader.section("open_sessions", OpenSessions::read),
            clients: reader.list("client", CLIENT_NEEDS, Client::read),
            upstreams: reader.list("upstream", UPSTREAM_NEEDS, Upstream::read),
            routes: reader.list("route", ROUTE_NEEDS, Route::read),
            retrofits: reader.list("retrofit", RETROFIT_NEEDS, Retrofit::read),
        };
        (typed, findings, problems)
    }
}

fn refuse_unknown_sections(sources: &Sources, problems: &mut Vec<Problem>) {
    let names = || SECTIONS.iter().chain(LISTS).map(|(name, _)| *name);
    for key in sources.table.keys().map(String::as_str) {
        if Root::KEYS.contains(&key) || names().any(|name| name == key) {
            continue;
        }
        let remedy = match suggest::nearest(key, Root::KEYS.iter().copied().chain(names())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                elsewhere(key).unwrap_or_else(|| "remove it; docs/configuration.md lists every key".into())
            }
        };
        let problem = Problem::without_value(key, "unknown key", &remedy);
        problems.push(problem.typed_in(sources.file.as_deref().unwrap_or("file")));
    }
}

/// Where a key belongs that was typed in the wrong section.
fn elsewhere(key: &str) -> Option<String> {
    if Root::KEYS.contains(&key) {
        return Some(format!("`{key}` belongs at the top of the file, before the first [section]"));
    }
    let (section, _) = SECTIONS.iter().find(|(_, keys)| keys.contains(&key))?;
    Some(format!("`{key}` belongs in [{section}]"))
}
