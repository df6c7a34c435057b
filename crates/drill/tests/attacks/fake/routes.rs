//! What is asked where, and what comes back to whoever is signed in.

use http::Method;
use serde_json::json;

use super::wire::{Asked, Said, said};
use super::{ATTACKER, App, VICTIM};

/// What the account says of itself where it cannot say anything else.
const CITY: &str = "Ulm";
const SIGN_UP_FORM: &str = "<!doctype html><form method=post action=/join><input type=hidden name=token value=TOKEN>\
    <input type=email name=email><input type=password name=password><input type=password name=again></form>";

impl App {
    pub(super) fn route(&self, asked: &Asked) -> Said {
        let foreign = {
            let site = asked.header("sec-fetch-site");
            let origin = asked.header("origin");
            let other_site = !matches!(site, "" | "same-origin" | "none");
            origin != self.origin && (other_site || !origin.is_empty())
        };
        let is_unsafe = !matches!(asked.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let lax = match asked.path.as_str() {
            "/api/login" => self.wrong("login-csrf"),
            "/api/logout" => self.wrong("csrf-logout"),
            "/api/me" => self.wrong("csrf"),
            _ => false,
        };
        if is_unsafe && foreign && !lax {
            return said(403, json!({ "error": "origin" }));
        }
        match (&asked.method, asked.path.as_str()) {
            (&Method::GET, "/") => self.page(asked),
            (&Method::GET, "/app.js") => Said {
                status: 200,
                headers: vec![("content-type".into(), "text/javascript".into())],
                body:
                    "fetch(`/api/me`);fetch('/api/login');fetch(`/api/notes/${n}/delete`);fetch(\"/api/key\")"
                        .into(),
            },
            (&Method::POST, "/api/login") => self.login(asked),
            (&Method::POST, "/api/signup") if !self.wrong("signup-form") => self.sign_up(asked),
            (&Method::GET, "/signup") if self.wrong("signup-form") => Said {
                status: 200,
                headers: vec![("content-type".into(), "text/html".into())],
                body: SIGN_UP_FORM.replace("TOKEN", &self.fresh("form")),
            },
            (&Method::POST, "/join") if self.wrong("signup-form") => self.sign_up(asked),
            (&Method::POST, "/api/refresh") => self.refresh(asked),
            (_, "/api/logout") if asked.method == Method::POST || self.wrong("logout-by-get") => {
                self.logout(asked)
            }
            (_, "/api/me") => self.me(asked),
            (_, path) if path.starts_with("/api/me") && self.wrong("cache-deception") => self.me(asked),
            (_, path) if path.starts_with("/api/notes") => self.notes(asked),
            (&Method::GET, "/api/key") if self.wrong("api-key-limits") => match self.who(asked) {
                Some(user) => {
                    said(200, json!({ "api_key": format!("key-of-{user}-0123456789").replace('@', "-") }))
                }
                None => said(401, json!({})),
            },
            (&Method::GET, "/go") if self.wrong("open-redirect") => {
                let to = asked.query.get("next").cloned().unwrap_or_else(|| "/".into());
                said(302, json!({})).with("location", to.replace('\t', "%09"))
            }
            (&Method::GET, "/.well-known/jwks.json") => {
                self.jwks().map_or_else(|| said(404, json!({})), |keys| said(200, keys))
            }
            _ => said(404, json!({ "error": "there is nothing here" })),
        }
    }

    fn page(&self, asked: &Asked) -> Said {
        let mut body =
            "<!doctype html><title>Fake</title><div id=app></div><script src=/app.js></script>".to_owned();
        let host = asked.header("x-forwarded-host");
        if self.wrong("cache-poisoning") && !host.is_empty() {
            body.push_str(&format!("<a href=\"//{host}/\">Home</a>"));
        }
        let page = Said { status: 200, headers: vec![("content-type".into(), "text/html".into())], body };
        let is_new = asked.cookie(&self.cookie("access")).is_none();
        if is_new && self.wrong("session-fixation") {
            page.with("set-cookie", format!("access={}; Path=/; HttpOnly; SameSite=Lax", self.fresh("pre")))
        } else {
            page
        }
    }

    /// By mail: whoever has an account is told so there, and nowhere else.
    fn sign_up(&self, asked: &Asked) -> Said {
        let fields = asked.fields();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let (email, password) = (field("email"), field("password"));
        let known = [VICTIM, ATTACKER].contains(&&*email);
        let taken = || said(409, json!({ "error": "this address has an account" }));
        if known && self.wrong("enumeration-signup") {
            return taken();
        }
        if known && self.wrong("enumeration-signup-words") {
            return said(422, json!({ "error": "there is an account already" }));
        }
        let form = self.wrong("signup-form");
        if password.len() < 8 && self.wrong("signup-words") {
            return said(422, json!({ "error": "this password was taken by somebody already" }));
        }
        if password.len() < 8 || form && (password != field("again") || field("token").is_empty()) {
            return said(422, json!({ "error": "a longer password, please" }));
        }
        if known && self.wrong("enumeration-signup-late") {
            return taken();
        }
        self.state.lock().unwrap().made.push(email);
        said(202, json!({ "ok": "look into your mail" }))
    }

    pub(super) fn me(&self, asked: &Asked) -> Said {
        let key = format!("{}{:?}", asked.path, asked.query);
        if self.wrong("shared-cache-hit") && asked.method == Method::GET && asked.query.contains_key("drill")
        {
            let cached = self.state.lock().unwrap().cache.get(&key).cloned();
            if let Some(cached) = cached {
                return said(200, serde_json::from_slice(&cached).unwrap());
            }
        }
        let Some(user) = self.who(asked) else { return said(401, json!({ "error": "please log in" })) };
        let mut state = self.state.lock().unwrap();
        if asked.method != Method::GET && asked.method != Method::HEAD {
            if self.wrong("read-only") {
                return said(405, json!({}));
            }
            let fields = asked.fields();
            if self.wrong("only-city") {
                let right = fields.get("city").is_some_and(|city| city == CITY) && fields.len() == 1;
                return if right {
                    said(200, json!({ "saved": true }))
                } else {
                    said(422, json!({ "error": "no such city" }))
                };
            }
            if let Some(text) = fields.get("biography") {
                state.biography.insert(user.clone(), text.clone());
            }
            match fields.get("email") {
                Some(email) if self.wrong("step-up") => drop(state.email.insert(user.clone(), email.clone())),
                Some(_) => return said(403, json!({ "error": "sign in again first" })),
                None => {}
            }
        }
        let biography = state.biography.get(&user).cloned().unwrap_or_default();
        let email = state.email.get(&user).cloned().unwrap_or_else(|| user.clone());
        let body = if self.wrong("only-city") || self.wrong("read-only") {
            json!({ "user": { "email": email, "role": "member", "city": CITY } })
        } else {
            json!({ "user": { "email": email, "biography": biography } })
        };
        state.cache.insert(key, body.to_string().into_bytes());
        let control = if self.wrong("shared-cache") || self.wrong("cache-deception") {
            "public, max-age=60"
        } else {
            "no-store"
        };
        said(200, body).with("cache-control", control)
    }

    pub(super) fn notes(&self, asked: &Asked) -> Said {
        if self.who(asked).is_none() {
            return said(401, json!({}));
        }
        let mut state = self.state.lock().unwrap();
        let rest = asked.path.trim_start_matches("/api/notes").trim_matches('/').to_owned();
        if rest.is_empty() {
            if asked.method == Method::POST {
                let id = u32::try_from(state.notes.len()).unwrap() + 1;
                state.notes.insert(id, asked.fields().get("text").cloned().unwrap_or_default());
                return said(201, json!({ "note": { "id": id } }));
            }
            return said(200, json!({ "notes": state.notes.values().collect::<Vec<_>>() }));
        }
        match rest.strip_suffix("/delete") {
            Some(id) if asked.method == Method::POST || self.wrong("state-changing-get") => {
                let gone = id.parse().ok().and_then(|id: u32| state.notes.remove(&id));
                said(200, json!({ "deleted": gone.is_some() }))
            }
            _ => said(404, json!({})),
        }
    }
}
