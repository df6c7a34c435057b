//! Every attack against an application that does one thing wrong, and against the same application that does it right: no
//! check can pass, or fail, whatever it is shown.
#![expect(clippy::disallowed_methods, reason = "the fake application keeps time like any other")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::needless_pass_by_value,
    reason = "test code: a panic is a failed test"
)]

mod bad_input;
mod fake;
mod mistakes;
mod reports;
mod sign_up;
mod throttling;
mod transport;

use countersign_core::domain::time::Timestamp;
use countersign_drill::client::{Limits, Trust};
use countersign_drill::runner::Silent;
use countersign_drill::scene::{LogFile, Options, Present, Setting};
use countersign_drill::{Account, Attack, Profile, Report, Scene, Target, attack, drill};
use fake::{ATTACKER, Fake, PASSWORD, VICTIM};

/// What is tried in these tests without being slow.
pub(crate) fn setting(url: &str) -> Setting {
    Setting {
        target: Target::parse(url).unwrap(),
        accounts: [VICTIM, ATTACKER]
            .map(|login| Account::parse(&format!("{login}:{PASSWORD}")).unwrap())
            .into(),
        profile: Profile::default(),
        options: Options { active: true, wait: false },
        logs: Vec::new(),
        trust: Trust::System,
        limits: Limits::default(),
        rate: 10_000,
        present: Present::new(now),
        seed: [7; 32],
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// The attacks of these ids, each of which there must be.
pub(crate) fn attacks(ids: &[&str]) -> Vec<Box<dyn Attack>> {
    let mut all = attack::all();
    for id in ids {
        assert!(all.iter().any(|attack| attack.check().id == *id), "there is no check {id}");
    }
    all.retain(|attack| ids.contains(&attack.check().id));
    all
}

/// Runs attacks on a fake.
pub(crate) async fn drilled(fake: &Fake, ids: &[&str], change: impl FnOnce(&mut Setting)) -> Report {
    let mut setting = setting(&fake.url);
    setting.logs.push(LogFile { name: "app.log".into(), path: fake.log.path().to_owned() });
    if let Some(ca) = &fake.ca {
        setting.trust = Trust::Also(ca.clone().into_bytes());
    }
    change(&mut setting);
    let scene = Scene::new(setting).unwrap();
    drill(&scene, &attacks(ids), &Silent).await
}
