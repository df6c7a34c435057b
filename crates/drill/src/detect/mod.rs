//! Finds out how an application signs people in: where its login is, where its tokens lie and how they go back, which request
//! tells who is signed in, and how tokens are renewed. What stands in the profile is not guessed.

mod bundle;
mod classify;
mod common;
pub mod html;
mod login;
mod openapi;
mod reading;
mod refresh;
mod session;
mod sign_up;
mod site;
pub mod tokens;
mod who;

pub use common::LOGOUT as LOGOUT_PATHS;
pub use login::Login;
pub use refresh::{Refresh, Refreshed};
pub use session::{Held, Session, alone, alone_value, carry, carry_value};
pub use sign_up::{SignUp, sounds as sounds_like_sign_up};
pub use site::Site;
pub use who::{Seen, Sign, Who, seen, seen_apart};

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::sleep;

use crate::account::Account;
use crate::client::{Agent, Answer, Device};
use crate::profile::Call;
use crate::report::Application;
use crate::runner::Progress;
use crate::scene::{Broken, Scene};
use crate::target::Target;

/// What was found out.
#[derive(Debug)]
pub struct App {
    /// How to sign in.
    pub login: Login,
    /// Who is signed in.
    pub who: Who,
    /// The kinds of credentials that it hands out.
    pub held: Arc<[Held]>,
    /// How tokens are renewed, if they are.
    pub refresh: Option<Refresh>,
    /// Its pages, scripts and documents.
    pub site: Site,
    /// How people sign out, once an attack has found out.
    pub logout: OnceLock<Call>,
}

impl App {
    /// For people.
    #[must_use]
    pub fn described(&self) -> Application {
        let held = |held: &Held| format!("{}: {}, sent as {}", held.kind.as_str(), held.place, held.carrier);
        Application {
            login: self.login.described(),
            who: self.who.call.to_string(),
            logout: self.logout.get().map(ToString::to_string),
            refresh: self.refresh.as_ref().map(|refresh| refresh.call.to_string()),
            credentials: self.held.iter().map(held).collect(),
        }
    }
}

/// Finds everything out, with the first account. Its session is kept for the attacks.
///
/// # Errors
/// [`Broken`], with a sentence that says what to write into the profile.
pub async fn detect(scene: &Scene, progress: &dyn Progress) -> Result<App, Broken> {
    let site = Site::explore(scene, &scene.agent(Device::Own)).await?;
    let account = scene.account(0)?;
    let ways = Login::ways(scene, &site);
    let mut said = None;
    for way in &ways {
        progress.part(&format!("signing in: {}", way.call));
        match try_way(scene, &site, account, way).await? {
            Tried::Works(works) => {
                let (login, agent, answer, found) = *works;
                let mut session = Session::new(account.clone(), agent, answer, found.held.into());
                session.fetch_csrf(scene, &site).await?;
                let refresh = Refresh::find(scene, &site, &mut session).await?;
                let held = Arc::clone(&session.held);
                steal(scene, &session);
                scene.keep_session(session);
                return Ok(App { login, who: found.who, held, refresh, site, logout: OnceLock::new() });
            }
            Tried::Refused(line) => said = said.or(Some(line)),
            Tried::Nothing => {}
        }
    }
    let why = said.unwrap_or_else(|| {
        format!(
            "no way to sign in was found: {} with a password field, and none of {} usual end points answered; write the request into a \
             profile: [login] request = \"POST /path\"",
            if site.login_forms.is_empty() { "there is no form" } else { "the form" },
            ways.len()
        )
    });
    Err(Broken::LogIn { login: account.login.clone(), why })
}

enum Tried {
    Works(Box<(Login, Agent, Answer, classify::Found)>),
    /// Somebody answered, and said no.
    Refused(String),
    Nothing,
}

async fn try_way(scene: &Scene, site: &Site, account: &Account, way: &Login) -> Result<Tried, Broken> {
    let mut said = Tried::Nothing;
    let mut left = vec![way.clone()];
    let mut widened = !way.is_guess();
    while let Some(way) = left.pop() {
        let agent = scene.agent(Device::Own);
        let answer = match patiently(&way, &scene.target, account, &agent).await {
            Ok(answer) => answer,
            // An end point that hangs is none to sign in at.
            Err(Broken::Net(error)) => {
                said = Tried::Refused(error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        if answer.is_throttled() {
            return Err(Broken::Throttled(answer.line()));
        }
        let is_candidate = answer.is_success() || answer.redirect().is_some();
        if !is_candidate {
            if matches!(answer.status, 400 | 415 | 422) && !widened {
                widened = true;
                left.extend(way.pairs().into_iter().rev());
                left.push(way.as_form());
            }
            if !matches!(answer.status, 404 | 405 | 501) {
                said = Tried::Refused(format!(
                    "{}; is the password right, and are these its fields: {}?",
                    answer.line(),
                    way.described()
                ));
            }
            continue;
        }
        let landed = login::land(scene, &agent, &answer).await?;
        if let Some(found) =
            classify::classify(scene, site, account, &agent, &answer, landed.as_ref()).await?
        {
            let login = narrowed(scene, account, way).await?;
            return Ok(Tried::Works(Box::new((login, agent, answer, found))));
        }
        if !answer.is_html() || way.page.is_some() {
            said = Tried::Refused(format!(
                "{}, but no request was found that tells who is signed in; write one into a profile: who = \"GET /path\"",
                answer.line()
            ));
        }
    }
    Ok(said)
}

/// Finds the two fields that count among all that were sent at once, where that is needed: what is sent again and again
/// should look like what the application's own page sends.
async fn narrowed(scene: &Scene, account: &Account, way: Login) -> Result<Login, Broken> {
    if !way.is_guess() {
        return Ok(way);
    }
    let worked = |answer: &Answer| answer.is_success() || answer.redirect().is_some();
    for pair in way.pairs() {
        let answer = patiently(&pair, &scene.target, account, &scene.agent(Device::Own)).await?;
        if answer.is_throttled() {
            return Ok(way);
        }
        if worked(&answer) {
            return Ok(pair);
        }
    }
    Ok(way)
}

/// Signs an account in, in a browser.
///
/// # Errors
/// [`Broken`].
pub async fn log_in(
    scene: &Scene,
    target: &Target,
    account: &Account,
    agent: &Agent,
) -> Result<Session, Broken> {
    let app = scene.app()?;
    let answer = patiently(&app.login, target, account, agent).await?;
    opened(scene, app, account, agent, answer).await
}

/// Most sign-ins that are tried where they are throttled.
const TRIES: usize = 4;
/// Longest pause that a server can ask for.
const PAUSE: Duration = Duration::from_secs(11);

/// Signs in, and again after a pause where the server asks for one: three in ten seconds is a usual bound.
pub(crate) async fn patiently(
    login: &Login,
    target: &Target,
    account: &Account,
    agent: &Agent,
) -> Result<Answer, Broken> {
    let mut answer = login.attempt(target, account, agent, None).await?;
    for _ in 1..TRIES {
        if !answer.is_throttled() {
            break;
        }
        let asked =
            ["retry-after", "x-retry-after"].iter().find_map(|name| answer.header(name)?.parse().ok());
        let pause = Duration::from_secs(asked.unwrap_or(3)) + Duration::from_millis(200);
        if pause > PAUSE {
            break;
        }
        sleep(pause).await;
        answer = login.attempt(target, account, agent, None).await?;
    }
    Ok(answer)
}

/// The session that an answer to signing in opened.
///
/// # Errors
/// [`Broken`] if it opened none.
pub async fn opened(
    scene: &Scene,
    app: &App,
    account: &Account,
    agent: &Agent,
    answer: Answer,
) -> Result<Session, Broken> {
    if answer.is_throttled() {
        return Err(Broken::Throttled(answer.line()));
    }
    let refused = |why: String| Broken::LogIn { login: account.login.clone(), why };
    if !answer.is_success() && answer.redirect().is_none() {
        return Err(refused(answer.line()));
    }
    login::land(scene, agent, &answer).await?;
    let line = answer.line();
    let mut session = Session::new(account.clone(), agent.clone(), answer, Arc::clone(&app.held));
    session.fetch_csrf(scene, &app.site).await?;
    steal(scene, &session);
    let any = session.credentials().iter().any(|credential| credential.kind == crate::CredentialKind::Access);
    if any {
        Ok(session)
    } else {
        Err(refused(format!("{line}, without the token that the first sign-in gave")))
    }
}

/// From here on these must show nowhere.
fn steal(scene: &Scene, session: &Session) {
    for credential in session.credentials() {
        scene.vault.steal(&credential.secret);
    }
}
