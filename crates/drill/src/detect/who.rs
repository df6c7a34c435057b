//! Finding a request that tells who is signed in, and reading its answers.

use http::Method;
use url::Url;

use crate::account::Account;
use crate::client::{Agent, Answer, Ask, From, NetError};
use crate::profile::Call;
use crate::scene::{Broken, Scene};

/// The request that tells who is signed in.
#[derive(Debug, Clone)]
pub struct Who {
    /// The request.
    pub call: Call,
    /// Where it goes.
    pub url: Url,
    /// How its answers are read.
    pub sign: Sign,
    /// Whether it is a page, asked for by navigation.
    pub page: bool,
}

/// By what an answer shows who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It holds the account's name or address.
    Name,
    /// It holds the part of the address before `@`.
    LocalPart,
    /// It holds neither: signed in means success, signed out another status. Two accounts cannot be told apart.
    Status(u16),
}

/// Whom an answer speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The account of this index; 0 also where accounts cannot be told apart.
    Account(usize),
    /// Nobody: signed out.
    Nobody,
    /// Throttled, or broken on the server's side.
    Unclear(u16),
}

impl Seen {
    /// Somebody is signed in.
    #[must_use]
    pub const fn is_somebody(self) -> bool {
        matches!(self, Self::Account(_))
    }
}

impl Who {
    /// A request without any credential.
    #[must_use]
    pub fn ask(&self) -> Ask {
        let ask = Ask::new(self.call.method.clone(), self.url.clone());
        if self.page { ask.from(From::Bar) } else { ask }
    }

    /// The same on another deployment.
    #[must_use]
    pub fn method(&self) -> Method {
        self.call.method.clone()
    }

    /// Whom an answer speaks of.
    #[must_use]
    pub fn read(&self, answer: &Answer, accounts: &[Account]) -> Seen {
        if answer.is_throttled() || answer.status >= 500 {
            return Seen::Unclear(answer.status);
        }
        if !answer.is_success() {
            return Seen::Nobody;
        }
        if let Sign::Status(status) = self.sign {
            return if answer.status == status { Seen::Account(0) } else { Seen::Nobody };
        }
        let body = answer.text().to_lowercase();
        let named = |account: &Account| names(&body, self.sign, account);
        accounts.iter().position(named).map_or(Seen::Nobody, Seen::Account)
    }
}

fn names(body: &str, sign: Sign, account: &Account) -> bool {
    let name = match sign {
        Sign::LocalPart => account.local_part(),
        _ => &account.login,
    };
    let name = name.to_lowercase();
    body.contains(&name)
        || body.contains(&name.replace('@', "&#64;"))
        || body.contains(&name.replace('@', "&#x40;"))
}

/// Judges a request by its answers with and without credentials: how it tells who is signed in, if it does.
#[must_use]
pub(super) fn sign(with: &Answer, without: &Answer, account: &Account) -> Option<Sign> {
    if !with.is_success() {
        return None;
    }
    let (with_body, without_body) = (with.text().to_lowercase(), without.text().to_lowercase());
    for sign in [Sign::Name, Sign::LocalPart] {
        // A short local part stands in many words.
        let telling = sign == Sign::Name || account.local_part().len() >= 4;
        let without_names = without.is_success() && names(&without_body, sign, account);
        if telling && names(&with_body, sign, account) && !without_names {
            return Some(sign);
        }
    }
    let refused = matches!(without.status, 301 | 302 | 303 | 307 | 308 | 401 | 403);
    refused.then_some(Sign::Status(with.status))
}

/// Asks the detected request with what the ask carries.
///
/// # Errors
/// [`Broken`].
pub async fn seen(scene: &Scene, agent: &Agent, ask: Ask) -> Result<(Seen, Answer), Broken> {
    let answer = agent.send(ask).await?;
    let who = &scene.app()?.who;
    Ok((who.read(&answer, &scene.accounts), answer))
}

/// The same without keeping what the answer sets.
///
/// # Errors
/// [`NetError`], as [`Broken`].
pub async fn seen_apart(scene: &Scene, agent: &Agent, ask: Ask) -> Result<(Seen, Answer), Broken> {
    let answer: Result<Answer, NetError> = agent.send_apart(ask).await;
    let answer = answer?;
    let who = &scene.app()?.who;
    Ok((who.read(&answer, &scene.accounts), answer))
}
