//! From settings to the HTTP front end.

use crate::config::{
    Auth, Cors, Csrf, HostHeader, IdentityHeaders, Route, SameSite, Settings, Transport, TrustedProxies,
    Upstream,
};
use anyhow::Context;
use countersign_core::domain::cookie::{self, CookiePolicy};
use countersign_core::domain::isolation::Origins;
use countersign_core::domain::route::{Pattern, RouteAuth, RouteCors, RouteCsrf, RouteRule, RouteTable};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::service::Audience;
use countersign_http::{self as http_front, SiteRetrofit, SiteUpstream};
use countersign_proxy::client_ip::Trusted;
use countersign_proxy::{
    self as proxy, Origin, PoolLimits, Protected, PublicOrigin, Timeouts, UpstreamConfig,
};
use http::HeaderName;
use std::sync::Arc;
use std::time::Duration;

/// Everything that configuration decides about HTTP.
///
/// # Errors
/// Names the key that the other crates do not accept.
pub(crate) fn site(settings: &Settings) -> anyhow::Result<http_front::Settings> {
    let public_origin = settings.public_url.origin().ascii_serialization();
    // A name that one application trusts must not come in by the routes of another either (K01).
    let names = settings.upstreams.iter().flat_map(|upstream| configured(&upstream.identity_headers));
    let protected = Arc::new(Protected::new(names));
    let allowed: Vec<String> =
        settings.allowed_origins.iter().map(url::Origin::ascii_serialization).collect();
    Ok(http_front::Settings {
        public: PublicOrigin::parse(&public_origin).context("public_url")?,
        transport: transport(settings),
        hardened: settings.environment.is_hardened(),
        cookies: cookies(settings)?,
        origins: Origins::new(&public_origin, allowed.iter().cloned()),
        cors_origins: allowed,
        csrf_header: settings.csrf_header.parse().context("csrf.header")?,
        trusted: match &settings.listen.trusted_proxies {
            TrustedProxies::Private => Trusted::Private,
            TrustedProxies::Networks(nets) if nets.is_empty() => Trusted::Nobody,
            TrustedProxies::Networks(nets) => Trusted::Nets(nets.clone()),
        },
        client_ip_header: settings.listen.client_ip_header.parse().context("listen.client_ip_header")?,
        login_url: settings.accounts.login_url.clone(),
        product: settings.product_name.clone(),
        clear_site_data: settings.cookies.clear_site_data,
        log_access: settings.log.access,
        upstreams: upstreams(settings, &protected)?,
        protected,
        routes: routes(settings)?,
        forward_auth: super::forward_auth::forward_auth(settings)?,
        head_timeout: settings.limits.head_timeout,
        write_stall: WRITE_STALL,
        connections: settings.limits.connections as usize,
        public_origin,
    })
}

/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_secs(60);

fn transport(settings: &Settings) -> http_front::Transport {
    match settings.tls.transport {
        Transport::LocalCa | Transport::Files { .. } => http_front::Transport::Tls,
        Transport::Off if settings.environment.is_hardened() => http_front::Transport::BehindProxy,
        Transport::Off => http_front::Transport::PlainDevelopment,
    }
}

fn cookies(settings: &Settings) -> anyhow::Result<CookiePolicy> {
    let port = settings.public_url.port_or_known_default().unwrap_or(443);
    if transport(settings) == http_front::Transport::PlainDevelopment {
        return Ok(CookiePolicy::dangerous().plain_http(port));
    }
    let same_site = match settings.cookies.same_site {
        SameSite::Strict => cookie::SameSite::Strict,
        SameSite::Lax => cookie::SameSite::Lax,
        SameSite::None => cookie::SameSite::NonePartitioned,
    };
    Ok(CookiePolicy::https(&super::policy::environment(settings)?, port, same_site))
}

fn upstreams(settings: &Settings, protected: &Arc<Protected>) -> anyhow::Result<Vec<SiteUpstream>> {
    let upstreams = settings.upstreams.iter().enumerate();
    let made = upstreams.map(|(index, upstream)| {
        let retrofit = settings.retrofits.iter().find(|retrofit| retrofit.upstream == upstream.name);
        let retrofit = retrofit
            .map(|retrofit| {
                SiteRetrofit::new(retrofit.rules.clone())
                    .with_context(|| format!("retrofit[{}] names a header that is none", upstream.name))
            })
            .transpose()?
            .map(Box::new);
        Ok(SiteUpstream { retrofit, ..self::upstream(index, upstream, protected)? })
    });
    made.collect()
}

fn configured(headers: &IdentityHeaders) -> impl Iterator<Item = &String> {
    [&headers.user, &headers.email, &headers.session, &headers.scopes].into_iter().flatten()
}

fn upstream(index: usize, upstream: &Upstream, protected: &Arc<Protected>) -> anyhow::Result<SiteUpstream> {
    let key = |name: &str| format!("upstream[{}].{name}", upstream.name);
    let connections = upstream.max_connections as usize;
    let defaults = PoolLimits::default();
    let config = UpstreamConfig {
        origin: Origin::parse(upstream.url.as_str()).with_context(|| key("url"))?,
        host: match upstream.host {
            HostHeader::Preserve => proxy::HostHeader::Preserve,
            HostHeader::Upstream => proxy::HostHeader::Upstream,
        },
        limits: PoolLimits {
            connections,
            queue: upstream.queue as usize,
            queue_timeout: upstream.queue_timeout,
            idle: defaults.idle.min(connections),
            connect_timeout: upstream.connect_timeout,
            ..defaults
        },
        timeouts: Timeouts {
            first_byte: upstream.first_byte.unwrap_or(Duration::MAX),
            between_bytes: upstream.between_bytes,
        },
        reuse_after_body: upstream.reuse_after_body,
        protected: Arc::clone(protected),
        name: upstream.name.clone(),
    };
    let name = |name: &Option<String>| -> anyhow::Result<Option<HeaderName>> {
        name.as_deref().map(str::parse).transpose().with_context(|| key("identity_headers"))
    };
    let headers = &upstream.identity_headers;
    Ok(SiteUpstream {
        upstream: proxy::Upstream::new(config),
        audience: Audience {
            index: u32::try_from(index)?,
            names: std::iter::once(&upstream.name)
                .chain(&upstream.forwards_to)
                .map(|name| name.as_str().into())
                .collect(),
        },
        identity: http_front::IdentityHeaders {
            user: name(&headers.user)?,
            email: name(&headers.email)?,
            session: name(&headers.session)?,
            scopes: name(&headers.scopes)?,
        },
        retrofit: None,
        session_keys: upstream.session_keys.clone(),
    })
}

fn routes(settings: &Settings) -> anyhow::Result<RouteTable> {
    let rules: anyhow::Result<Vec<_>> =
        settings.routes.iter().map(|route| rule(route, &settings.upstreams)).collect();
    Ok(RouteTable::new(rules?))
}

fn rule(route: &Route, upstreams: &[Upstream]) -> anyhow::Result<(Pattern, RouteRule)> {
    let key = |name: &str| format!("route[{}].{name}", route.path);
    let upstream = upstreams
        .iter()
        .position(|upstream| upstream.name == route.upstream)
        .with_context(|| format!("{} names no upstream", key("upstream")))?;
    let rule = RouteRule {
        upstream,
        auth: match route.auth {
            Auth::Required => RouteAuth::Required,
            Auth::Optional => RouteAuth::Optional,
            Auth::None => RouteAuth::None,
        },
        csrf: match route.csrf {
            Csrf::Origin => RouteCsrf::Origin,
            Csrf::Token => RouteCsrf::Token,
            Csrf::Off => RouteCsrf::Off,
        },
        cors: match route.cors {
            Cors::Countersign => RouteCors::Countersign,
            Cors::Upstream => RouteCors::Upstream,
        },
        bounce: route.bounce,
        scope: ScopeSet::from_names(route.scope.iter().map(String::as_str)).with_context(|| key("scope"))?,
        max_auth_age: route.max_auth_age,
        first_byte: Some(route.first_byte.unwrap_or(Duration::MAX)),
        // Zero stands for "no limit" here; absent would be the upstream's, which configuration has filled in already.
        between_bytes: Some(route.between_bytes.unwrap_or(Duration::ZERO)),
        tokens: route.tokens,
    };
    Ok((Pattern::parse(&route.path.to_string()).with_context(|| key("path"))?, rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, read};
    use countersign_core::domain::cookie::CookieKind;

    fn of(text: &str) -> http_front::Settings {
        let checked = read(&Sources::from_text("test.toml", text).unwrap()).unwrap();
        site(checked.inspect()).unwrap()
    }

    const TWO: &str = r#"
environment = "development"
[[upstream]]
name = "app"
url = "http://127.0.0.1:3000"
identity_headers = { user = "X-Remote-User" }
forwards_to = ["api"]
[[upstream]]
name = "api"
url = "http://127.0.0.1:4000"
first_byte = "none"
[[route]]
path = "/*"
upstream = "app"
[[route]]
path = "/api/*"
upstream = "api"
auth = "optional"
between_bytes = "none"
scope = ["read"]
"#;

    #[test]
    fn routes_lead_to_their_upstreams_with_all_they_ask_for() {
        let site = of(TWO);
        let api = site.routes.find("/api/x").rule().unwrap().clone();
        assert_eq!((api.upstream, api.auth, api.bounce), (1, RouteAuth::Optional, false));
        assert_eq!((api.first_byte, api.between_bytes), (Some(Duration::MAX), Some(Duration::ZERO)));
        assert_eq!(api.scope.to_string(), "read");
        assert_eq!(site.routes.find("/x").rule().unwrap().upstream, 0);
        let audience = &site.upstreams.first().unwrap().audience;
        assert_eq!(audience.names, ["app".into(), "api".into()] as [Box<str>; 2]);
    }

    #[test]
    fn cookies_follow_the_transport() {
        let name = |text: &str| of(text).cookies.name(CookieKind::Access).to_owned();
        assert_eq!(name("environment = \"development\""), "__Host-Http-cs-access-8443");
        let plain = "environment = \"development\"\npublic_url = \"http://localhost:8080\"";
        assert_eq!(name(plain), "cs-access-8080");
        assert_eq!(of(plain).transport, http_front::Transport::PlainDevelopment);
        let behind = "public_url = \"https://a.example.com\"\n[tls]\nmode = \"off\"\n[listen]\ntrusted_proxies = [\"10.0.0.1\"]";
        assert_eq!(name(behind), "__Host-Http-cs-access");
        assert_eq!(of(behind).transport, http_front::Transport::BehindProxy);
    }

    /// Pages and mails call the application by its name, else by the host that people know, and say nothing of localhost.
    #[test]
    fn the_product_has_a_name() {
        let hardened = "public_url = \"https://app.example.com:8443\"\n[tls]\nmode = \"off\"\n[listen]\ntrusted_proxies = [\"10.0.0.1\"]\n";
        assert_eq!(of(hardened).product, "app.example.com");
        assert_eq!(of("environment = \"development\"").product, "Countersign");
        assert_eq!(of(&format!("{hardened}[pages]\nproduct_name = \"Acme Books\"")).product, "Acme Books");
    }
}
