//! `[[retrofit]]`: two lines are enough, and what is typed is checked.

use super::{DEVELOPMENT, Level, about, faults, readable};
use crate::config::{Auth, Csrf, Route, Settings};
use countersign_core::domain::retrofit::TokenPath;

const APP: &str = "[[upstream]]\nname = \"app\"\nurl = \"http://127.0.0.1:3000\"\n";
const TWO_LINES: &str =
    "[[retrofit]]\nlogin = [\"POST /api/login\", \"POST /api/signup\"]\nlogout = [\"POST /api/logout\"]\n";

fn file(more: &str) -> String {
    format!("{DEVELOPMENT}{APP}{more}")
}

fn route<'s>(settings: &'s Settings, path: &str) -> &'s Route {
    settings.routes.iter().find(|route| route.path.matches(path)).unwrap()
}

#[test]
fn two_lines_are_enough() {
    let checked = readable(&file(TWO_LINES), &[]);
    let settings = checked.inspect();
    let [retrofit] = settings.retrofits.as_slice() else { panic!("one") };
    let rules = &retrofit.rules;
    assert_eq!((retrofit.upstream.as_str(), rules.token.to_string().as_str()), ("app", "json:/token"));
    assert_eq!(rules.inject.to_string(), "authorization: Bearer {token}");
    assert_eq!(rules.placeholder_claims.len(), 7);
    assert_eq!((rules.end_on_401, rules.body_limit, rules.refresh.is_none()), (false, 1 << 20, true));
    assert_eq!(rules.token_path("POST", "/api/signup"), Some(TokenPath::Login));
    // The application shows its own login; token paths have a route each.
    assert_eq!((route(settings, "/").auth, route(settings, "/").tokens), (Auth::Optional, false));
    for path in ["/api/login", "/api/signup", "/api/logout"] {
        let route = route(settings, path);
        assert_eq!(
            (route.auth, route.csrf, route.tokens, route.bounce),
            (Auth::Optional, Csrf::Origin, true, false)
        );
    }
    assert_eq!(checked.findings().iter().find(|finding| finding.level == Level::Unsafe), None);
}

#[test]
fn everything_that_can_be_said() {
    let text = r#"
[[upstream]]
name = "other"
url = "http://127.0.0.1:4000"
[[route]]
path = "/*"
upstream = "app"
csrf = "token"
[[route]]
path = "/api/login"
upstream = "app"
auth = "required"
first_byte = "5s"
[[route]]
path = "/other/*"
upstream = "other"
[[retrofit]]
upstream = "app"
login = ["POST /api/login"]
logout = ["POST /api/logout"]
token = "json:/access"
inject = "x-token: {token}"
subject = "/user/id"
placeholder_claims = ["exp"]
refresh = { request = "POST /api/refresh", token = "json:/refresh", send = "json:/with/refresh", answer = "json:/fresh" }
end_on_401 = true
body_limit = 4096
"#;
    let checked = readable(&file(text), &[]);
    let settings = checked.inspect();
    let rules = &settings.retrofits[0].rules;
    let refresh = rules.refresh.as_ref().unwrap();
    let shown =
        [refresh.request.to_string(), refresh.send.as_ref().unwrap().to_string(), refresh.answer.to_string()];
    assert_eq!(shown, ["POST /api/refresh", "json:/with/refresh", "json:/fresh"]);
    assert_eq!(
        rules.locations().map(ToString::to_string).collect::<Vec<_>>(),
        ["json:/access", "json:/fresh", "json:/refresh"]
    );
    assert_eq!((rules.end_on_401, rules.body_limit), (true, 4096));
    // Whatever a route said about it.
    let login = route(settings, "/api/login");
    assert_eq!((login.auth, login.csrf, login.tokens), (Auth::Optional, Csrf::Origin, true));
    assert_eq!(login.first_byte.unwrap().as_secs(), 5);
    assert_eq!(route(settings, "/other/x").auth, Auth::Required, "the other keeps its default");
}

#[test]
fn short_refresh_and_defaults() {
    let text = format!("{TWO_LINES}refresh = \"POST /api/refresh\"\ntoken = \"cookie:sid\"\n");
    let checked = readable(&file(&text), &[]);
    let rules = &checked.inspect().retrofits[0].rules;
    assert_eq!(rules.inject.to_string(), "cookie: sid={token}");
    assert_eq!(rules.refresh.as_ref().unwrap().send, None);
}

#[test]
fn what_is_wrong_is_named() {
    for (more, key) in [
        ("[[retrofit]]\n", "retrofit[#1].login"),
        ("[[retrofit]]\nlogin = []\n", "retrofit[#1].login"),
        ("[[retrofit]]\nlogin = [\"/api/login\"]\n", "retrofit[#1].login"),
        ("[[retrofit]]\nlogin = [\"POST /api/*\"]\n", "retrofit[#1].login"),
        ("[[retrofit]]\nupstream = \"ap\"\nlogin = [\"POST /a\"]\n", "retrofit[ap].upstream"),
        ("[[retrofit]]\nlogin = [\"POST /a\"]\ntoken = \"token\"\n", "retrofit[#1].token"),
        ("[[retrofit]]\nlogin = [\"POST /a\"]\ninject = \"Bearer {token}\"\n", "retrofit[#1].inject"),
        ("[[retrofit]]\nlogin = [\"POST /a\"]\nsubject = \"sub\"\n", "retrofit[#1].subject"),
        ("[[retrofit]]\nlogin = [\"POST /a\"]\nbody_limit = 10\n", "retrofit[#1].body_limit"),
        ("[[retrofit]]\nlogin = [\"POST /a\"]\nlogout = [\"POST /a\"]\n", "retrofit[#1].logout"),
        ("[[retrofit]]\nlogin = [\"POST /a\"]\nrefresh = { tken = \"x\" }\n", "retrofit[#1].refresh"),
        (
            "[[retrofit]]\nlogin = [\"POST /a\"]\nrefresh = { request = \"POST /r\", token = \"json:/token\" }\n",
            "retrofit[#1].refresh",
        ),
        ("[[retrofit]]\nlogin = [\"POST /auth/login\"]\n", "retrofit[app]"),
        ("[[retrofit]]\nlogn = [\"POST /a\"]\nlogin = [\"POST /a\"]\n", "retrofit[#1].logn"),
        (
            "[[retrofit]]\nlogin = [\"POST /a\"]\n[[retrofit]]\nlogin = [\"POST /b\"]\n",
            "retrofit[#2].upstream",
        ),
    ] {
        assert!(
            faults(&file(more), &[]).iter().any(|fault| fault == key),
            "{more}: {:?}",
            faults(&file(more), &[])
        );
    }
}

/// A token path that a route sends elsewhere would hand its tokens out as they are.
#[test]
fn a_token_path_belongs_to_its_upstream() {
    let text = "[[upstream]]\nname = \"api\"\nurl = \"http://127.0.0.1:4000\"\n[[route]]\npath = \"/*\"\nupstream = \"app\"\n[[route]]\npath = \"/api/*\"\nupstream = \"api\"\n[[retrofit]]\nupstream = \"app\"\nlogin = [\"POST /api/login\"]\n";
    assert_eq!(faults(&file(text), &[]), ["retrofit[app]"]);
}

#[test]
fn what_is_weaker_than_it_looks_is_said() {
    let silent = readable(&file("[[retrofit]]\nlogin = [\"POST /a\"]\n"), &[]);
    assert_eq!(about(&silent, "retrofit[app].logout")[0].level, Level::Warning);
    let text = format!(
        "{TWO_LINES}token = \"cookie:sid\"\n[[route]]\npath = \"/admin/*\"\nauth = \"required\"\n[[route]]\npath = \"/open/*\"\nauth = \"none\"\n"
    );
    let checked = readable(&file(&text), &[]);
    assert_eq!(about(&checked, "retrofit[app].token")[0].level, Level::Warning);
    assert_eq!(about(&checked, "retrofit[app].upstream")[0].level, Level::Note);
}

/// Its answers are rewritten before anybody looks for a code: what it hands over would be lost without a word.
#[test]
fn session_keys_of_a_retrofit_upstream_do_nothing() {
    let keys = "session_keys = [\"00000000000000001\"]\n";
    let key = "upstream[app].session_keys";
    let alone = readable(&format!("{DEVELOPMENT}{APP}{keys}"), &[]);
    assert!(about(&alone, key).is_empty(), "{:?}", alone.findings());
    let both = readable(&format!("{DEVELOPMENT}{APP}{keys}{TWO_LINES}"), &[]);
    let [finding] = about(&both, key)[..] else { panic!("{:?}", both.findings()) };
    assert_eq!(finding.level, Level::Warning);
    assert!(
        finding.value.contains("00000000000000001") && finding.message.contains("Countersign-Session"),
        "{finding:?}"
    );
}
