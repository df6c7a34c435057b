//! What holds for every page, checked on the rendered markup.

use super::{
    Account, Bounce, CheckMail, Confirm, Confirmed, DeadLink, EndedView, ErrorPage, FormSecret, Link, Moment,
    NotFound, Notice, SessionView, Shell, SignIn, SignUp, SignedOut, Template, asset,
};

const NONCE: &str = "bm9uY2Utb2YtdGhpcy1wYWdl";
const HOSTILE: &str = "\"><script>alert(1)</script><p style='x' onclick='y";

fn shell() -> Shell<'static> {
    Shell { nonce: NONCE, request_id: "01J9ZK3V7Q", product: "Countersign", signed_in_email: None }
}

fn sign_in<'a>(email: &'a str, return_to: &'a str) -> SignIn<'a> {
    SignIn {
        shell: shell(),
        csrf: FormSecret::new("csrf-token"),
        return_to,
        email,
        notice: None,
        confirms: false,
        form_error: None,
        email_error: None,
        password_error: None,
        signup_open: true,
    }
}

fn sign_up(email: &str) -> SignUp<'_> {
    SignUp {
        shell: shell(),
        csrf: FormSecret::new("csrf-token"),
        return_to: "/notes?page=2",
        invitation: None,
        email,
        min_password: 15,
        form_error: None,
        email_error: None,
        password_error: None,
    }
}

fn session(public_id: &str, device: &str, address: &str, current: bool) -> SessionView {
    SessionView {
        public_id: public_id.to_owned(),
        device: device.to_owned(),
        address: address.to_owned(),
        created: Moment { iso: "2026-01-02T03:04:05Z".to_owned(), text: "2 January 2026".to_owned() },
        last_seen: Moment { iso: "2026-01-09T10:11:12Z".to_owned(), text: "5 minutes ago".to_owned() },
        current,
        bound: current,
    }
}

fn account(sessions: Vec<SessionView>) -> Account<'static> {
    Account {
        shell: Shell { signed_in_email: Some("ada@example.com"), ..shell() },
        csrf: FormSecret::new("csrf-token"),
        email: "ada@example.com",
        email_verified: true,
        sessions,
        ended: Vec::new(),
        alarm: None,
        notice: None,
        current_password_error: None,
        new_password_error: None,
        min_password: 15,
    }
}

fn moment(text: &str) -> Moment {
    Moment { iso: "2026-01-09T10:11:12Z".to_owned(), text: text.to_owned() }
}

fn theft(href: &'static str) -> Notice<'static> {
    Notice {
        grave: true,
        happened: "A copy of your sign-in was used somewhere else, so we ended that session".to_owned(),
        when: Some(moment("2 hours ago")),
        advice: "Sign in, and".to_owned(),
        link: Some(Link { href, label: "look at where you are signed in" }),
    }
}

/// Every page in its interesting states, by file name.
fn gallery() -> Vec<(&'static str, String)> {
    let three = || {
        vec![
            session("s1", "Firefox on Linux", "192.0.2.17", true),
            session("s2", "Safari on iPhone", "2001:db8:85a3:1234:5678:8a2e:370:7334", false),
            session("s3", "Chrome on Windows", "198.51.100.4", false),
        ]
    };
    let action = Some(Link { href: "/auth/login", label: "Sign in again" });
    let pages: Vec<(&str, Box<dyn askama::DynTemplate>)> = vec![
        ("sign-in", Box::new(sign_in("", "/"))),
        (
            "sign-in-refused",
            Box::new(SignIn {
                form_error: Some("The address or the password is not right."),
                ..sign_in("ada@example.com", "/")
            }),
        ),
        (
            "sign-in-notice",
            Box::new(SignIn {
                notice: Some(theft("/auth/login?return_to=/auth/account")),
                ..sign_in("", "/notes")
            }),
        ),
        (
            "sign-in-confirms",
            Box::new(SignIn {
                notice: Some(Notice {
                    grave: false,
                    happened: "This asks for a sign-in of the last 10 minutes".to_owned(),
                    when: None,
                    advice: "Enter your password once more to go on.".to_owned(),
                    link: None,
                }),
                confirms: true,
                ..sign_in("ada@example.com", "/admin")
            }),
        ),
        (
            "dead-link",
            Box::new(DeadLink {
                shell: shell(),
                title: "This invitation no longer works",
                happened: "It was used already.",
                remedy: "Ask for a new one.",
                action: Link { href: "/auth/login", label: "Sign in" },
            }),
        ),
        ("sign-up", Box::new(sign_up(""))),
        (
            "sign-up-refused",
            Box::new(SignUp {
                email_error: Some("This is not an e-mail address."),
                password_error: Some("Too short: it has 8 characters, and needs 15."),
                ..sign_up("ada")
            }),
        ),
        (
            "sign-up-invited",
            Box::new(SignUp {
                form_error: Some("This invitation was used before, or has expired."),
                invitation: Some(FormSecret::new("mail-code")),
                ..sign_up("ada@example.com")
            }),
        ),
        ("check-mail", Box::new(CheckMail { shell: shell(), email: "ada@example.com" })),
        (
            "confirm",
            Box::new(Confirm {
                shell: shell(),
                csrf: FormSecret::new("csrf-token"),
                code: FormSecret::new("mail-code"),
                email: "ada@example.com",
                password_error: None,
            }),
        ),
        (
            "confirm-refused",
            Box::new(Confirm {
                shell: shell(),
                csrf: FormSecret::new("csrf-token"),
                code: FormSecret::new("mail-code"),
                email: HOSTILE,
                password_error: Some("This is not the password that was chosen with this link."),
            }),
        ),
        ("confirmed", Box::new(Confirmed { shell: shell() })),
        ("signed-out", Box::new(SignedOut { shell: shell() })),
        ("account", Box::new(account(three()))),
        (
            "account-robbed",
            Box::new(Account {
                alarm: Some(theft("#password-title")),
                ended: vec![EndedView {
                    device: HOSTILE.to_owned(),
                    address: "192.0.2.9".to_owned(),
                    ended: moment("2 hours ago"),
                    reason: "A copy was used elsewhere",
                    stolen: true,
                }],
                ..account(three())
            }),
        ),
        (
            "account-refused",
            Box::new(Account {
                notice: Some("The session was signed out."),
                email_verified: false,
                current_password_error: Some("This is not your current password."),
                new_password_error: Some("This password is on a list of common ones."),
                ..account(vec![session("s1", "Firefox on Linux", "192.0.2.17", true)])
            }),
        ),
        (
            "error",
            Box::new(ErrorPage {
                shell: shell(),
                status: 401,
                title: "Your session was ended",
                happened: "A copy of your session was used somewhere else, so we ended it everywhere.",
                remedy: "Sign in again. If this was not you, change your password.",
                action,
            }),
        ),
        ("not-found", Box::new(NotFound { shell: shell() })),
        ("bounce", Box::new(Bounce { shell: shell() })),
        ("hostile", Box::new(sign_in(HOSTILE, HOSTILE))),
    ];
    pages.into_iter().map(|(name, page)| (name, page.dyn_render().unwrap())).collect()
}

/// The opening tags of one element, in order.
fn tags<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    html.split(&format!("<{element}"))
        .skip(1)
        .filter(|rest| rest.starts_with([' ', '>']))
        .map(|rest| rest.split('>').next().unwrap())
        .collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split(&format!(" {name}=\"")).nth(1).map(|rest| rest.split('"').next().unwrap())
}

/// J01: nothing that the policy would refuse.
#[test]
fn j01_scripts_carry_the_nonce_and_nothing_is_inline() {
    for (name, html) in gallery() {
        for script in tags(&html, "script") {
            assert_eq!(attribute(script, "nonce"), Some(NONCE), "{name}: {script}");
        }
        for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let names: String = tag.split('"').step_by(2).collect();
            assert!(!names.contains(" style="), "{name}: {tag}");
            assert!(!names.contains(" on"), "{name}: an inline handler in {tag}");
        }
        assert!(tags(&html, "style").is_empty(), "{name}");
        assert!(!html.contains("javascript:"), "{name}");
    }
}

/// C01, C04: `_csrf` is the first field of every form, so that it stands in the first bytes of a body, and no form
/// is a GET, which would put it into a URL.
#[test]
fn c01_every_form_posts_its_csrf_token_first() {
    let mut forms = 0;
    for (name, html) in gallery() {
        for form in html.split("<form ").skip(1) {
            forms += 1;
            let form = form.split("</form>").next().unwrap();
            let opening = form.split('>').next().unwrap();
            assert!(opening.contains("method=\"post\""), "{name}: {opening}");
            assert!(opening.contains("action=\"/auth/"), "{name}: {opening}");
            let first = *tags(form, "input").first().unwrap();
            assert_eq!(attribute(first, "name"), Some("_csrf"), "{name}: {first}");
            assert_eq!(attribute(first, "value"), Some("csrf-token"), "{name}: {first}");
        }
    }
    assert!(forms > 10);
}

/// C04: a secret that a form carries is in none of the page's links, nor in its `Debug`.
#[test]
fn c04_form_secrets_are_only_in_hidden_fields() {
    for (name, html) in gallery() {
        for secret in ["csrf-token", "mail-code"] {
            assert_eq!(
                html.matches(secret).count(),
                html.matches(&format!("value=\"{secret}\"")).count(),
                "{name}"
            );
        }
    }
    assert!(!format!("{:?}", sign_in("", "/")).contains("csrf-token"));
}

#[test]
fn what_the_visitor_typed_is_kept_and_escaped() {
    let html = sign_in(HOSTILE, HOSTILE).render().unwrap();
    assert!(!html.contains("<script>alert"));
    assert!(html.contains("&#60;script&#62;alert(1)"));
    assert!(html.contains("href=\"/auth/signup?return_to=%22%3E%3Cscript%3E"));
    let refused = SignIn { form_error: Some("No."), ..sign_in("ada@example.com", "/") }.render().unwrap();
    assert!(refused.contains("value=\"ada@example.com\""));
    assert!(refused.contains("name=\"return_to\" value=\"/\""));
}

/// Labels, descriptions and landmarks point at what exists, and ids are unique.
#[test]
fn every_reference_inside_a_page_resolves() {
    for (name, html) in gallery() {
        let mut ids: Vec<&str> =
            html.split('<').filter_map(|rest| attribute(rest.split('>').next().unwrap(), "id")).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id is used twice");
        for tag in html.split('<').map(|rest| rest.split('>').next().unwrap()) {
            for kind in ["aria-describedby", "aria-labelledby", "for", "data-reveal"] {
                for id in attribute(tag, kind).unwrap_or_default().split_whitespace() {
                    assert!(ids.contains(&id), "{name}: {kind} names {id}, which is not there");
                }
            }
        }
        assert!(html.matches("autofocus").count() <= 1, "{name}");
        assert_eq!(tags(&html, "h1").len(), 1, "{name}");
        assert_eq!(tags(&html, "main").len(), 1, "{name}");
    }
}

#[test]
fn visible_inputs_have_labels_and_passwords_say_which_they_are() {
    for (name, html) in gallery() {
        for input in tags(&html, "input") {
            let hidden = attribute(input, "type") == Some("hidden") || input.contains(" hidden");
            if hidden {
                continue;
            }
            let id = attribute(input, "id").unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\"")), "{name}: {input}");
            if attribute(input, "type") == Some("password") {
                let wanted = if id == "new_password" || name.starts_with("sign-up") {
                    "new-password"
                } else {
                    "current-password"
                };
                assert_eq!(attribute(input, "autocomplete"), Some(wanted), "{name}: {input}");
            }
        }
    }
}

#[test]
fn errors_stand_beside_their_fields_and_are_announced() {
    let html = SignUp { password_error: Some("Too short."), ..sign_up("ada@example.com") }.render().unwrap();
    assert!(html.contains("<p class=\"wrong\" id=\"password-error\" role=\"alert\">Too short.</p>"));
    let password =
        tags(&html, "input").into_iter().find(|tag| attribute(tag, "id") == Some("password")).unwrap();
    assert_eq!(attribute(password, "aria-invalid"), Some("true"));
    assert_eq!(attribute(password, "aria-describedby"), Some("password-error password-hint"));
    assert!(html.contains("<title>Error: Create an account"));
}

/// D12: the page ends one session, the others, and all; one's own by logging out.
#[test]
fn d12_the_account_page_ends_sessions() {
    let html = account(vec![session("me", "A", "192.0.2.1", true), session("a/b", "B", "192.0.2.2", false)])
        .render()
        .unwrap();
    for action in [
        "\"/auth/logout\"",
        "\"/auth/logout/all\"",
        "\"/auth/account/sessions/a%2Fb/end\"",
        "\"/auth/account/sessions/end-others\"",
        "\"/auth/account/password\"",
    ] {
        assert_eq!(html.matches(action).count(), 1, "{action}");
    }
    assert_eq!(html.matches("This device").count(), 1);
    let alone = account(vec![session("me", "A", "192.0.2.1", true)]).render().unwrap();
    assert!(!alone.contains("end-others"));
}

#[test]
fn error_pages_show_the_request_id_in_their_footer() {
    for (name, html) in gallery() {
        let footer = html.split("<footer").nth(1).unwrap_or_default();
        let is_error = matches!(name, "error" | "not-found");
        assert_eq!(footer.contains("01J9ZK3V7Q"), is_error, "{name}");
    }
}

/// The bounce reloads by script, and by a link to itself where script is off.
#[test]
fn the_bounce_reloads_with_and_without_script() {
    let html = Bounce { shell: shell() }.render().unwrap();
    assert!(html.contains(&format!("<script nonce=\"{NONCE}\">location.reload()</script>")));
    assert!(html.split("<noscript>").last().unwrap().contains("href=\"\""));
    assert!(html.len() < 1500);
}

#[test]
fn every_asset_that_a_page_names_is_served() {
    for (name, html) in gallery() {
        for path in html.split('"').filter(|part| part.starts_with("/auth/assets/")) {
            assert!(asset(path).is_some(), "{name}: {path}");
        }
    }
}

/// A notice is announced, ends its sentences, and says when.
#[test]
fn a_notice_is_announced_and_leads_on() {
    let html = SignIn { notice: Some(theft("/auth/login?return_to=/auth/account")), ..sign_in("", "/") }
        .render()
        .unwrap();
    assert!(html.contains("<div class=\"note bad\" role=\"status\">"), "{html}");
    assert!(
        html.contains("that session <time datetime=\"2026-01-09T10:11:12Z\">2 hours ago</time>.</strong>")
    );
    assert!(html.contains("Sign in, and <a href=\"/auth/login?return_to=/auth/account\">look at where you are signed in</a>.</p>"));
}
