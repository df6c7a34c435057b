//! Upstreams that keep their own login (design §7 "Retrofit").

use crate::config::finding::Findings;
use crate::config::{Auth, Settings};

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    for retrofit in &settings.retrofits {
        let key = |name: &str| format!("retrofit[{}].{name}", retrofit.upstream);
        let rules = &retrofit.rules;
        if rules.logout.is_empty() {
            let message = "the application's own sign-out would leave the session here alive";
            found.warn(&key("logout"), "[]", message, "name it, such as [\"POST /api/logout\"]");
        }
        let upstream = settings.upstreams.iter().find(|upstream| upstream.name == retrofit.upstream);
        if let Some(upstream) = upstream.filter(|upstream| !upstream.session_keys.is_empty()) {
            let ids: Vec<String> = upstream.session_keys.iter().map(|id| format!("\"{id}\"")).collect();
            found.warn(
                &format!("upstream[{}].session_keys", upstream.name),
                format!("[{}]", ids.join(", ")),
                "an upstream with [[retrofit]] hands no session over: its Countersign-Session headers are taken off and ignored",
                "remove it, or the [[retrofit]]: an application signs people in by one of the two",
            );
        }
        let routes = || settings.routes.iter().filter(|route| route.upstream == retrofit.upstream);
        if rules.token.cookie().is_some()
            && let Some(route) = routes().find(|route| route.auth == Auth::Required)
        {
            let message = format!(
                "route {} asks for a session, but what a session cookie stands for only the application knows: one is there for everybody whose sign-in was answered by a redirect",
                route.path
            );
            let value = format!("\"{}\"", rules.token);
            let remedy = "leave it to the application who may do what, and set auth = \"optional\" there";
            found.warn(&key("token"), value, &message, remedy);
        }
        if let Some(route) = routes().find(|route| route.auth == Auth::None && !route.tokens) {
            let message =
                format!("requests to route {} carry no token: cookies are not read there", route.path);
            found.note(
                &key("upstream"),
                format!("{:?}", retrofit.upstream),
                &message,
                "set auth = \"optional\" there, unless it is public",
            );
        }
    }
}
