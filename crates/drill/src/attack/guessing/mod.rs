//! Guessing: which addresses have an account, and how often a password may be wrong. Last, for it may lock accounts.

mod enumeration;
mod sign_up;
mod throttling;

use std::time::Duration;

use super::Attacks;
use crate::account::Account;
use crate::client::{Agent, Answer, Device};
use crate::detect;
use crate::scene::{Broken, Scene};
use crate::secret::Secret;

pub(super) const ATTACKS: Attacks = &[
    (enumeration::BODY, |scene| Box::pin(enumeration::by_body(scene))),
    (enumeration::TIME, |scene| Box::pin(enumeration::by_time(scene))),
    (sign_up::CHECK, |scene| Box::pin(sign_up::by_sign_up(scene))),
    (throttling::CHECK, |scene| Box::pin(throttling::throttle(scene))),
];

/// Guessing ends after this long.
const LONGEST: Duration = Duration::from_secs(20);

/// The account that is guessed at: the second, so that the first stays usable. Before the first guess it signs in once on
/// the guesses' device: only so can a refusal of the right password after them mean something.
async fn known(scene: &Scene) -> Result<&Account, Broken> {
    let known = scene.account(1).or_else(|_| scene.account(0))?;
    if scene.welcome.get().is_none() {
        let came_in = comes_in(scene, known, &scene.agent(Device::Other)).await?;
        scene.welcome.get_or_init(|| matches!(came_in, Came::In));
    }
    Ok(known)
}

/// What became of the right password.
enum Came {
    /// It opened a session.
    In,
    /// It was refused like a wrong one.
    Refused(String),
    /// The application said that it has had enough.
    Throttled(String),
}

/// Signs in once with the right password, without waiting where the application asks for a pause.
async fn comes_in(scene: &Scene, account: &Account, agent: &Agent) -> Result<Came, Broken> {
    let app = scene.app()?;
    let answer = app.login.attempt(&scene.target, account, agent, None).await?;
    let line = answer.line();
    match detect::opened(scene, app, account, agent, answer).await {
        Ok(_session) => Ok(Came::In),
        Err(Broken::Throttled(line)) => Ok(Came::Throttled(line)),
        Err(Broken::LogIn { .. }) => Ok(Came::Refused(line)),
        Err(broken) => Err(broken),
    }
}

/// An address nobody has, as long as the known one.
fn unknown(scene: &Scene, known: &Account) -> Account {
    let word = scene.words.next();
    let fill = |length: usize| word.chars().cycle().take(length.max(3)).collect::<String>();
    let login = match known.login.split_once('@') {
        Some((local, domain)) => format!("{}@{domain}", fill(local.len())),
        None => fill(known.login.len()),
    };
    Account { login, password: Secret::new("") }
}

/// One wrong password, in a fresh browser of the thief's.
async fn guess(scene: &Scene, login: &str) -> Result<Answer, Broken> {
    let account =
        Account { login: login.to_owned(), password: Secret::new(format!("wrong {}", scene.words.next())) };
    let way = &scene.app()?.login;
    way.attempt(&scene.target, &account, &scene.agent(Device::Other), None).await
}
