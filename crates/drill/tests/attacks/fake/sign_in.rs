//! Signing in, staying signed in, and signing out.

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::mistakes::Bound;
use super::state::Family;
use super::token::{SECRET, claims, now};
use super::wire::{Asked, Said, said};
use super::{ATTACKER, App, PASSWORD, Style, VICTIM};

/// Seconds that a token of `short-life` is good for.
const SHORT: i64 = 5;

impl App {
    /// What a cookie is called: with the prefix that only TLS allows.
    pub(super) fn cookie(&self, kind: &str) -> String {
        let prefixed = self.is_tls && !self.wrong("cookie-prefix") && !self.wrong("cookie-secure");
        if prefixed { format!("__Host-{kind}") } else { kind.to_owned() }
    }

    pub(super) fn fresh(&self, kind: &str) -> String {
        let mut state = self.state.lock().unwrap();
        state.counter += 1;
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, SECRET),
            format!("{kind}{}{}", state.counter, self.origin).as_bytes(),
        );
        BASE64URL_NOPAD.encode(tag.as_ref())
    }

    pub(super) fn login(&self, asked: &Asked) -> Said {
        let fields = asked.fields();
        // JSON as text/plain, or a form, is what another site can send.
        let plain = asked.header("content-type") != "application/json";
        if plain && !self.wrong("login-csrf") {
            return said(415, json!({ "error": "json" }));
        }
        let user = fields.get("email").cloned().unwrap_or_default();
        let known = [VICTIM, ATTACKER].contains(&&*user);
        {
            let mut state = self.state.lock().unwrap();
            let failures = state.failures.get(&user).copied().unwrap_or_default();
            let bound = self.bound(failures, asked);
            match bound {
                Bound::Says => return said(429, json!({ "error": "too many" })),
                Bound::Words => return said(401, json!({ "error": "wrong, and too many" })),
                Bound::Silent | Bound::None => {}
            }
            if !known
                || bound == Bound::Silent
                || fields.get("password").map(String::as_str) != Some(PASSWORD)
            {
                *state.failures.entry(user).or_default() += 1;
                if self.wrong("enumeration") && !known {
                    return said(404, json!({ "error": "there is no such account" }));
                }
                if self.wrong("throttling-words") {
                    return said(401, json!({ "error": "wrong; too many wrong ones, and it is locked" }));
                }
                return said(401, json!({ "error": "wrong" }));
            }
        }
        let family = {
            let mut state = self.state.lock().unwrap();
            state.families.push(Family { user, generation: 1, alive: true, rotated_at: None });
            state.families.len() - 1
        };
        let adopted = self.wrong("session-fixation").then(|| asked.cookie(&self.cookie("access"))).flatten();
        self.tokens(family, adopted)
    }

    /// The answer with the tokens of a family's present generation.
    pub(super) fn tokens(&self, family: usize, adopted: Option<String>) -> Said {
        let (user, generation) = {
            let state = self.state.lock().unwrap();
            let family = &state.families[family];
            (family.user.clone(), family.generation)
        };
        let refresh = self
            .sign(&json!({ "family": family, "generation": generation, "purpose": "refresh" }))
            .replace('.', "~");
        match self.style {
            Style::Cookies => {
                let access = adopted.unwrap_or_else(|| self.fresh("access"));
                self.state.lock().unwrap().access.insert(access.clone(), family);
                let mut attributes = "Path=/".to_owned();
                if !self.wrong("cookie-httponly") {
                    attributes.push_str("; HttpOnly");
                }
                if !self.wrong("cookie-samesite") {
                    attributes.push_str("; SameSite=Lax");
                }
                if self.is_tls && !self.wrong("cookie-secure") {
                    attributes.push_str("; Secure");
                }
                let life = if self.wrong("access-lifetime") { 30 * 86_400 } else { 900 };
                let [access_name, refresh_name] = ["access", "refresh"].map(|kind| self.cookie(kind));
                let mut body = json!({ "ok": true });
                if self.wrong("token-in-body") {
                    body = json!({ "ok": true, "token": access });
                }
                said(200, body)
                    .with("set-cookie", format!("{access_name}={access}; Max-Age={life}; {attributes}"))
                    .with("set-cookie", format!("{refresh_name}={refresh}; Max-Age=2592000; {attributes}"))
            }
            Style::Bearer | Style::KeyPair => {
                let short = if self.wrong("short-life") { SHORT } else { 900 };
                let life = if self.wrong("access-lifetime") { 30 * 86_400 } else { short };
                let mut claims = json!({ "iss": self.origin, "aud": "fake", "sub": user, "iat": now(), "exp": now() + life, "purpose": "access", "family": family });
                if self.wrong("jwt-claims") {
                    claims = json!({ "sub": user, "iat": now(), "exp": now() + life, "family": family });
                }
                said(200, json!({ "access_token": self.sign(&claims), "refresh_token": refresh }))
            }
        }
    }

    pub(super) fn refresh(&self, asked: &Asked) -> Said {
        let given = match self.style {
            Style::Cookies => asked.cookie(&self.cookie("refresh")),
            Style::Bearer | Style::KeyPair => asked.fields().get("refresh_token").cloned(),
        };
        let claims = given.and_then(|token| claims(&token.replace('~', "."), self));
        let Some(claims) = claims else { return said(401, json!({ "error": "token" })) };
        let (index, generation) = (
            claims["family"].as_u64().unwrap_or(u64::MAX),
            claims["generation"].as_u64().unwrap_or_default(),
        );
        let index = usize::try_from(index).unwrap();
        {
            let mut state = self.state.lock().unwrap();
            let dead_ok = self.wrong("logout-revokes-refresh");
            let Some(family) = state.families.get_mut(index) else { return said(401, json!({})) };
            if !family.alive && !dead_ok {
                return said(401, json!({ "error": "ended" }));
            }
            let current = u64::from(family.generation);
            let grace = family.rotated_at.is_some_and(|at| at.elapsed() < Duration::from_secs(10));
            if generation == current {
                if !self.wrong("refresh-replay") {
                    family.generation += 1;
                    family.rotated_at = Some(Instant::now());
                }
            } else if !grace || self.wrong("honest-tabs") {
                if !self.wrong("refresh-reuse-detection") {
                    family.alive = false;
                }
                return said(401, json!({ "error": "reused" }));
            }
        }
        self.tokens(index, None)
    }

    pub(super) fn logout(&self, asked: &Asked) -> Said {
        let family = match self.style {
            Style::Cookies => asked
                .cookie(&self.cookie("access"))
                .and_then(|access| self.state.lock().unwrap().access.get(&access).copied()),
            Style::Bearer | Style::KeyPair => {
                claims(asked.header("authorization").trim_start_matches("Bearer "), self)
                    .and_then(|claims| usize::try_from(claims["family"].as_u64()?).ok())
            }
        };
        if let Some(family) = family
            && !self.wrong("logout-revokes")
        {
            self.state.lock().unwrap().families[family].alive = false;
        }
        said(200, json!({}))
            .with("set-cookie", "access=; Max-Age=0; Path=/")
            .with("set-cookie", "refresh=; Max-Age=0; Path=/")
    }

    pub(super) fn who(&self, asked: &Asked) -> Option<String> {
        if self.wrong("identity-headers") {
            for name in ["x-forwarded-user", "x_user"] {
                if [VICTIM, ATTACKER].contains(&asked.header(name)) {
                    return Some(asked.header(name).to_owned());
                }
            }
        }
        if self.wrong("api-key-limits") {
            let given = if self.wrong("api-key-in-url") { asked.query.get("api_key").cloned() } else { None };
            let key = given.unwrap_or_else(|| asked.header("x-api-key").to_owned());
            for user in [VICTIM, ATTACKER] {
                if key == format!("key-of-{user}-0123456789").replace('@', "-") {
                    return Some(user.to_owned());
                }
            }
        }
        let family = match self.style {
            Style::Cookies => {
                let mut access = asked.cookie(&self.cookie("access"));
                if self.wrong("token-in-url") {
                    access = access.or_else(|| asked.query.get("token").cloned());
                }
                let state = self.state.lock().unwrap();
                state.access.get(&access?).copied()?
            }
            Style::Bearer | Style::KeyPair => {
                let mut token = asked.header("authorization").trim_start_matches("Bearer ").to_owned();
                if self.wrong("token-in-url") && token.is_empty() {
                    token = asked.query.get("access_token").cloned()?;
                }
                if self.wrong("wrong-purpose") {
                    token = token.replace('~', ".");
                }
                let claims = claims(&token, self)?;
                let kind = claims["purpose"].as_str().unwrap_or("access");
                // A token of another deployment, with the same key.
                let foreign = claims["iss"].as_str().is_some_and(|iss| iss != self.origin);
                if foreign && !self.wrong("wrong-environment") {
                    return None;
                }
                let expired = claims["exp"].as_i64().is_some_and(|exp| exp <= now());
                if kind != "access" && !self.wrong("wrong-purpose")
                    || expired && !self.wrong("must-refuse") && !self.wrong("expiry-enforced")
                {
                    return None;
                }
                usize::try_from(claims["family"].as_u64()?).ok()?
            }
        };
        let state = self.state.lock().unwrap();
        let family = state.families.get(family)?;
        (family.alive || self.wrong("logout-revokes")).then(|| family.user.clone())
    }
}
