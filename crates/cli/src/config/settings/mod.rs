//! What was built: every value in force, as plain types. The composition root maps these into the other crates.

mod accounts;
mod api_keys;
mod clients;
mod forward_auth;
mod gateway;
mod issuers;
mod network;
mod protection;
mod retrofit;

pub(crate) use accounts::{Accounts, Mail, Passwords, Throttle};
pub(crate) use api_keys::ApiKeys;
pub(crate) use clients::{Client, OpenSessions};
pub(crate) use forward_auth::ForwardAuth;
pub(crate) use gateway::{IdentityHeaders, Route, Upstream};
pub(crate) use issuers::Issuer;
pub(crate) use network::{Limits, Listen, Log, Tls, Transport};
pub(crate) use protection::{Cookies, Keys, Revocation, Rotation, Tokens};
pub(crate) use retrofit::Retrofit;

use super::problem::Problem;
use super::typed::Typed;
use super::value::{BaseUrl, Environment, StoreLocation, TlsMode};
use std::path::PathBuf;
use url::{Origin, Url};

/// The whole configuration in force. It is not yet known to be safe: see [`super::Checked`].
#[derive(Debug)]
pub(crate) struct Settings {
    /// The label in tokens and keys.
    pub(crate) environment: Environment,
    /// Scheme, host and port that browsers use; the path is `/`.
    pub(crate) public_url: Url,
    /// Where the records live.
    pub(crate) store: StoreLocation,
    /// Directory of `admin.sock` for stores that are no file.
    pub(crate) run_dir: PathBuf,
    /// `[listen]`
    pub(crate) listen: Listen,
    /// `[tls]`
    pub(crate) tls: Tls,
    /// `[tokens]`
    pub(crate) tokens: Tokens,
    /// `[rotation]`
    pub(crate) rotation: Rotation,
    /// `[revocation]`
    pub(crate) revocation: Revocation,
    /// `[cookies]`
    pub(crate) cookies: Cookies,
    /// `csrf.header`, in lower case.
    pub(crate) csrf_header: String,
    /// `cors.allowed_origins`, compared whole (C10).
    pub(crate) allowed_origins: Vec<Origin>,
    /// `[accounts]`
    pub(crate) accounts: Accounts,
    /// `pages.product_name`: what people call the application.
    pub(crate) product_name: String,
    /// `[api_keys]`
    pub(crate) api_keys: ApiKeys,
    /// `[mail]`, if mail can leave.
    pub(crate) mail: Option<Mail>,
    /// `[log]`
    pub(crate) log: Log,
    /// `[keys]`
    pub(crate) keys: Keys,
    /// `[passwords]`
    pub(crate) passwords: Passwords,
    /// `[throttle]`
    pub(crate) throttle: Throttle,
    /// `[forward_auth]`, if a proxy may ask.
    pub(crate) forward_auth: Option<ForwardAuth>,
    /// `[limits]`
    pub(crate) limits: Limits,
    /// `[[issuer]]`, in order.
    pub(crate) issuers: Vec<Issuer>,
    /// `[open_sessions]`
    pub(crate) open_sessions: OpenSessions,
    /// `[[client]]`, in order.
    pub(crate) clients: Vec<Client>,
    /// `[[upstream]]`, in order.
    pub(crate) upstreams: Vec<Upstream>,
    /// `[[route]]`, most specific first, with the default route of a sole upstream.
    pub(crate) routes: Vec<Route>,
    /// `[[retrofit]]`, one for an upstream at most.
    pub(crate) retrofits: Vec<Retrofit>,
}

/// Fills in defaults and resolves names. `None` only if something is missing that nothing can be built without;
/// every fault is in `problems`.
pub(super) fn build(typed: Typed, problems: &mut Vec<Problem>) -> Option<Settings> {
    if problems.iter().any(|problem| problem.key == "environment") {
        // Every default hangs on it: what else is wrong would be guesswork.
        return None;
    }
    let environment = typed.root.environment.unwrap_or_default();
    let hardened = environment.is_hardened();
    let mode = tls_mode(typed.tls.mode, typed.root.public_url.as_ref(), hardened);
    let public_url = public_url(typed.root.public_url, mode, hardened, problems);
    let limits = network::limits(&typed.limits, hardened, problems);
    let store = typed.root.store.unwrap_or_else(|| default_store(hardened));
    let count = typed.upstreams.len();
    let upstreams = gateway::upstreams(typed.upstreams, &limits, problems);
    // With an upstream that could not be read, names that lead to it would be reported as unknown.
    let (routes, retrofits) = if upstreams.len() == count {
        gateway::check_forwarding(&upstreams, problems);
        let retrofits = retrofit::retrofits(typed.retrofits, &upstreams, problems);
        let mut routes = gateway::routes(typed.routes, &upstreams, &retrofits, problems);
        retrofit::add_routes(&retrofits, &upstreams, &mut routes, problems);
        (routes, retrofits)
    } else {
        (Vec::new(), Vec::new())
    };
    let tls = network::tls(&typed.tls, mode, problems);
    let listen = network::listen(typed.listen, public_url.as_ref(), hardened, problems);
    let mail = accounts::mail(typed.mail, problems);
    let tokens = protection::tokens(typed.tokens, problems);
    let clients = clients::clients(typed.clients, &tokens.audience, problems);
    Some(Settings {
        run_dir: typed
            .root
            .run_dir
            .unwrap_or_else(|| if hardened { "/run/countersign" } else { ".countersign" }.into()),
        listen,
        tls: tls?,
        tokens,
        open_sessions: clients::open_sessions(typed.open_sessions, problems),
        clients,
        rotation: protection::rotation(&typed.rotation),
        revocation: protection::revocation(&typed.revocation),
        cookies: protection::cookies(&typed.cookies),
        csrf_header: protection::csrf_header(typed.csrf.header, problems),
        allowed_origins: typed
            .cors
            .allowed_origins
            .unwrap_or_default()
            .iter()
            .map(|url| url.0.origin())
            .collect(),
        accounts: accounts::accounts(typed.accounts, hardened, problems),
        product_name: typed
            .pages
            .product_name
            .map_or_else(|| product_name(public_url.as_ref(), hardened), |name| name.0),
        api_keys: api_keys::api_keys(&typed.api_keys),
        mail,
        log: network::log(&typed.log, hardened),
        keys: protection::keys(typed.keys, &store),
        passwords: accounts::passwords(typed.passwords, problems),
        throttle: accounts::throttle(&typed.throttle, problems),
        forward_auth: forward_auth::forward_auth(typed.forward_auth, problems),
        issuers: issuers::issuers(typed.issuers, public_url.as_ref(), problems),
        limits,
        upstreams,
        routes,
        retrofits,
        public_url: public_url?,
        store,
        environment,
    })
}

/// Development takes a local CA unless plain HTTP was asked for; elsewhere certificates come from files.
fn tls_mode(typed: Option<TlsMode>, public_url: Option<&BaseUrl>, hardened: bool) -> TlsMode {
    match typed {
        Some(mode) => mode,
        None if hardened => TlsMode::Files,
        None if public_url.is_some_and(|url| url.0.scheme() == "http") => TlsMode::Off,
        None => TlsMode::LocalCa,
    }
}

fn public_url(
    typed: Option<BaseUrl>,
    mode: TlsMode,
    hardened: bool,
    problems: &mut Vec<Problem>,
) -> Option<Url> {
    if let Some(BaseUrl(url)) = typed {
        return Some(url);
    }
    if !hardened {
        let scheme = if mode == TlsMode::Off { "http" } else { "https" };
        return Url::parse(&format!("{scheme}://localhost:8443")).ok();
    }
    if problems.iter().all(|problem| problem.key != "public_url") {
        let message = "this is missing: origins and issuers are compared with it, so it cannot be guessed from requests";
        let remedy = "set public_url = \"https://app.example.com\" in countersign.toml or COUNTERSIGN_PUBLIC_URL, or environment = \"development\" to try things on this machine";
        problems.push(Problem::without_value("public_url", message, remedy));
    }
    None
}

/// People know an application that has no name by its host; `localhost` would tell nobody anything.
fn product_name(public_url: Option<&Url>, hardened: bool) -> String {
    let host = public_url.and_then(Url::host_str).filter(|_| hardened);
    host.unwrap_or("Countersign").to_owned()
}

fn default_store(hardened: bool) -> StoreLocation {
    StoreLocation::Sqlite(if hardened { "countersign.db" } else { ".countersign/countersign.db" }.into())
}
