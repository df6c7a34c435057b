//! Every attack in a real Chromium, against an application with its mistake and against one without.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failed test"
)]

mod app;

use std::time::{SystemTime, UNIX_EPOCH};

use app::{ACCOUNTS, App, Mistakes};
use countersign_core::domain::time::Timestamp;
use countersign_drill::browser::{self, Options};
use countersign_drill::client::{Limits, Trust};
use countersign_drill::runner::Silent;
use countersign_drill::scene::{Options as Allowed, Present, Setting};
use countersign_drill::{Account, Profile, Report, Scene, Secret, Target, Verdict, drill};

#[expect(clippy::disallowed_methods, reason = "the composition root of this test")]
fn present() -> Present {
    Present::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap())
    })
}

fn chromium() -> Options {
    let path = std::env::var_os("PATH");
    // Missing programs fail tests, never skip them.
    let program = browser::find(None, path.as_deref()).unwrap_or_else(|error| panic!("{error}"));
    Options { program: Ok(program), any_certificate: false, no_sandbox: true }
}

fn scene(origin: &str, active: bool, profile: Profile) -> Scene {
    let account =
        |(login, password): (&str, &str)| Account { login: login.into(), password: Secret::new(password) };
    Scene::new(Setting {
        target: Target::parse(origin).unwrap(),
        accounts: ACCOUNTS.map(account).to_vec(),
        profile,
        options: Allowed { active, wait: false },
        logs: Vec::new(),
        trust: Trust::System,
        limits: Limits::default(),
        rate: 200,
        present: present(),
        seed: [7; 32],
    })
    .unwrap()
}

async fn attacked(mistakes: Mistakes, active: bool) -> Report {
    let app = App::start(mistakes);
    let scene = scene(&app.origin, active, Profile::default());
    let report = drill(&scene, &browser::attacks(chromium()), &Silent).await;
    assert_eq!(report.problem, None);
    // I01: neither a session nor a password is in it.
    let json = report.to_json();
    assert!(!json.contains("s0000000000") && !json.contains(ACCOUNTS[0].1), "{json}");
    report
}

const ALL: [&str; 10] = [
    "browser-token-readable",
    "browser-token-sent-away",
    "browser-csp",
    "browser-framing",
    "browser-caches",
    "browser-stored-script",
    "browser-csrf-cross-site",
    "browser-csrf-same-site",
    "browser-login-csrf",
    "browser-back-after-logout",
];

/// D19, B01, C01, C05, C09, J01, J03, J04: each mistake is found.
#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_found() {
    let report = attacked(Mistakes::ALL, true).await;
    let missed: Vec<_> = ALL.iter().filter(|id| !report.check(id).unwrap().result.is_finding()).collect();
    assert!(missed.is_empty(), "{missed:?}\n{}", report.to_json());
    // Every place by itself, not just one of them.
    let places = report.check("browser-token-readable").unwrap().result.steps().join("\n");
    for place in [
        "localStorage",
        "sessionStorage",
        "document.cookie",
        "global variable",
        "document “session-token”",
        "IndexedDB",
    ] {
        assert!(places.contains(place), "{place}:\n{places}");
    }
    let ways = report.check("browser-token-sent-away").unwrap().result.steps().join("\n");
    for way in ["fetch", "image", "beacon", "stylesheet", "navigation", "from another device"] {
        assert!(ways.contains(way), "{way}:\n{ways}");
    }
}

/// The same attacks on an application without mistakes: each was tried, and none worked.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is() {
    let report = attacked(Mistakes::default(), true).await;
    let wrong: Vec<_> =
        ALL.iter().filter(|id| !matches!(report.check(id).unwrap().result, Verdict::Pass { .. })).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{}", report.to_json());
}

/// Without leave nothing is changed; without a browser nothing is claimed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_tried_is_said() {
    let app = App::start(Mistakes::ALL);
    let scene = scene(&app.origin, false, Profile::default());
    let none =
        Options { program: Err("no Chromium was found".into()), any_certificate: false, no_sandbox: false };
    let report = drill(&scene, &browser::attacks(none), &Silent).await;
    for id in ALL {
        let result = &report.check(id).unwrap().result;
        assert!(matches!(result, Verdict::NotApplicable { .. }), "{id}: {result:?}");
    }
    assert!(report.check("browser-stored-script").unwrap().result.sentence().contains("--active"));
}

/// A form that cannot be found by itself is found by selectors.
#[tokio::test(flavor = "multi_thread")]
async fn selectors_of_a_profile() {
    let app = App::start(Mistakes::default());
    let profile = "[browser]\nlogin_page = \"/login\"\nuser = \"input[name=email]\"\npassword = \"input[name=password]\"\n\
                   submit = \"form button\"\nsigned_in = \"#shown\"\n";
    let scene = scene(&app.origin, false, Profile::parse(profile).unwrap());
    let all = browser::attacks(chromium());
    let one: Vec<_> =
        all.into_iter().filter(|attack| attack.check().id == "browser-token-readable").collect();
    let report = drill(&scene, &one, &Silent).await;
    let result = &report.check("browser-token-readable").unwrap().result;
    let (sentence, steps) = (result.sentence(), result.steps());
    assert!(sentence.contains("hold no token"), "{sentence}");
    assert!(steps[0].contains("by the form at http://localhost"), "{steps:?}");
}

/// The browser reaches no host that was not named: not by a redirect, a form, a frame, a popup, a web socket or anything that a page loads.
#[tokio::test(flavor = "multi_thread")]
async fn no_other_host_is_reached() {
    for page in ["leads-away", "foreign-form"] {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        other.set_nonblocking(true).unwrap();
        let app = App::start(Mistakes::default());
        let port = other.local_addr().unwrap().port();
        let profile = format!(
            "[browser]\nlogin_page = \"/{page}?{port}\"\n[login]\nrequest = \"POST /login\"\nformat = \"form\"\n\
                               user_field = \"email\"\npassword_field = \"password\"\n"
        );
        let scene = scene(&app.origin, true, Profile::parse(&profile).unwrap());
        let report = drill(&scene, &browser::attacks(chromium()), &Silent).await;
        assert_eq!(report.problem, None, "{page}");
        let sentence = report.check("browser-token-readable").unwrap().result.sentence().to_owned();
        assert!(page == "leads-away" || sentence.contains("no password was typed"), "{page}: {sentence}");
        // What connected waits in the queue of the listener, whether it sent anything or not.
        let seen = other.accept().map(|(_, from)| from);
        assert!(seen.is_err(), "{page}: {seen:?} came");
    }
}
