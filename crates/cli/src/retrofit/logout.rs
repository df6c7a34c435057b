//! Finds the request that signs out, by doing it.

use countersign_drill::client::{Answer, Ask, From};
use countersign_drill::detect::html::Page;
use countersign_drill::detect::{App, LOGOUT_PATHS, Session};
use countersign_drill::profile::Call;
use countersign_drill::{Broken, Scene};
use http::Method;
use serde_json::json;

/// `POST /api/logout`, or nothing. Uses a session of its own, and ends it.
pub(super) async fn find(scene: &Scene, app: &App) -> Result<Option<String>, Broken> {
    if let Some(call) = &scene.profile.logout {
        return Ok(Some(call.to_string()));
    }
    let session = scene.log_in(0).await?;
    for call in calls(scene, app, &session).await {
        let Some(url) = scene.target.join(&call.path) else { continue };
        let ask = Ask::new(call.method.clone(), url);
        let ask = match call.method {
            Method::GET => ask.from(From::Page),
            // Some refuse a request without a body, and none minds an empty object.
            Method::POST => ask.json(&json!({})),
            _ => ask,
        };
        let Ok(answer) = session.send(ask).await else { continue };
        if signs_out(&answer) {
            return Ok(Some(call.to_string()));
        }
    }
    Ok(None)
}

/// Likeliest first: what the application itself names, then what is usual.
async fn calls(scene: &Scene, app: &App, session: &Session) -> Vec<Call> {
    let documented = app.site.operations.iter().map(|operation| operation.call.clone());
    let mut calls: Vec<Call> =
        documented.filter(|call| call.method != Method::GET && sounds(&call.path)).collect();
    calls.extend(
        app.site
            .hints
            .resolved()
            .into_iter()
            .filter(|path| sounds(path))
            .map(|path| Call::new(Method::POST, path)),
    );
    calls.extend(linked(scene, app, session).await);
    calls.extend(LOGOUT_PATHS.into_iter().map(|path| {
        // A path that only names sessions is deleted, not posted to: that would open one.
        let method = if sounds(path) || path.contains("blacklist") { Method::POST } else { Method::DELETE };
        Call::new(method, path)
    }));
    let mut seen: Vec<Call> = Vec::new();
    for call in calls {
        if !call.path.contains(['{', '*']) && !seen.contains(&call) {
            seen.push(call);
        }
    }
    seen
}

/// Links and forms of the page that one lands on.
async fn linked(scene: &Scene, app: &App, session: &Session) -> Vec<Call> {
    let pages = [app.who.page.then(|| app.who.url.clone()), Some(scene.target.base().clone())];
    let mut calls = Vec::new();
    for url in pages.into_iter().flatten() {
        let Ok(answer) = session.send(Ask::get(url.clone()).from(From::Bar)).await else { continue };
        if !answer.is_html() {
            continue;
        }
        let page = Page::read(&answer.text());
        let own = |reference: &str| {
            let there = scene.target.join(url.join(reference).ok()?.as_str())?;
            Some(there.path().to_owned()).filter(|path| sounds(path))
        };
        let forms = page.forms.iter().filter(|form| form.method == "POST");
        calls.extend(forms.filter_map(|form| own(&form.action)).map(|path| Call::new(Method::POST, path)));
        calls.extend(page.links.iter().filter_map(|link| own(link)).map(|path| Call::new(Method::GET, path)));
    }
    calls
}

fn sounds(path: &str) -> bool {
    let plain: String = path.to_lowercase().chars().filter(|c| !matches!(c, '-' | '_')).collect();
    ["logout", "signout", "logoff", "session/end", "session/destroy", "session/delete"]
        .iter()
        .any(|word| plain.contains(word))
}

/// A page that every unknown address gets is no answer to signing out.
fn signs_out(answer: &Answer) -> bool {
    answer.redirect().is_some() || answer.is_success() && (answer.body.is_empty() || !answer.is_html())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_like_signing_out() {
        for path in ["/api/logout", "/users/sign_out", "/api/auth/sign-out", "/session/end", "/LogOff"] {
            assert!(sounds(path), "{path}");
        }
        for path in ["/api/session", "/blog", "/outbox"] {
            assert!(!sounds(path), "{path}");
        }
    }
}
