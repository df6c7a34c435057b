//! The blast radius of a stolen credential, and the story of a theft.

use serde::{Deserialize, Serialize};

use crate::credential::{Carrier, Credential, CredentialKind, Place};
use crate::detect::Session;

/// A credential that the drill held, and what a thief could do with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Obtained {
    /// For people: `access token in the answer body at /token`.
    pub name: String,
    /// What it is for.
    pub kind: CredentialKind,
    /// Where it lay.
    pub place: Place,
    /// How it is presented.
    pub carrier: Carrier,
    /// Eight digits that tell it apart.
    pub fingerprint: String,
    /// Whether a script of the page could read it where it lay.
    pub readable_by_script: bool,
    /// What it could still do.
    pub radius: BlastRadius,
}

/// What a stolen credential could still do, for how long: seconds that were measured, and the one figure that only the
/// issuer can know, named as claimed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BlastRadius {
    /// What it opened, for example `reads GET /api/me`, `changes the account`, `is exchanged for new tokens`.
    pub works_for: Vec<String>,
    /// Whether it worked on another device. `None` if that was not tried.
    pub elsewhere: Option<bool>,
    /// Seconds that it says of itself it is good for: `exp - iat`, or its cookie's life. `None` if it does not say.
    pub claimed_s: Option<u64>,
    /// Seconds for which it was seen to work after it was issued, at least.
    pub seen_working_s: Option<f64>,
    /// What signing out did to it.
    pub after_logout: Option<Stopped>,
    /// Whether its use by two holders was noticed: the session was ended. `None` if that was not tried.
    pub noticed: Option<bool>,
    /// Seconds from the thief's first use, or the honest user's next one, until both were locked out.
    pub noticed_after_s: Option<f64>,
    /// The longest that a thief who is never noticed keeps access, in seconds; `None` if no end is known.
    pub worst_s: Option<u64>,
}

/// Whether, and how fast, something stopped a credential.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// Whether it was refused at last.
    pub stopped: bool,
    /// Seconds until it was refused; or for which it was seen to go on.
    pub seconds: f64,
}

/// A theft, played through with two holders of one credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Theft {
    /// Stable name: `replay-after-rotation`, `thief-first`, `stolen-then-logout`.
    pub id: String,
    /// For people.
    pub title: String,
    /// One sentence: how it ended.
    pub ending: String,
    /// Whether the thief was locked out at the end.
    pub caught: bool,
    /// In order.
    pub moves: Vec<Move>,
}

/// Who moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The user.
    Honest,
    /// The thief.
    Thief,
}

/// What came of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It worked.
    Accepted,
    /// It was refused.
    Refused,
    /// The message was lost on purpose.
    Lost,
}

/// One move in a theft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Move {
    /// Milliseconds since the first.
    pub at_ms: u64,
    /// Who.
    pub actor: Actor,
    /// `signs in`, `refreshes`, `uses the access token`.
    pub did: String,
    /// The token that was presented: 1 for the one of the login, 2 for its successor …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented: Option<u32>,
    /// The token that came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<u32>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the server said: `401 refresh_reused`.
    pub answer: String,
}

impl Obtained {
    /// Of a credential in a session; nothing is known yet of what it could do.
    #[must_use]
    pub fn new(session: &Session, credential: &Credential) -> Self {
        let readable_by_script = match &credential.place {
            Place::Cookie { name } => session.agent.jar().named(name).is_some_and(|cookie| !cookie.http_only),
            Place::Json { .. } | Place::Header { .. } | Place::Script { .. } => true,
        };
        Self {
            name: format!("{} ({})", credential.kind.as_str(), credential.place),
            kind: credential.kind,
            place: credential.place.clone(),
            carrier: credential.carrier.clone(),
            fingerprint: credential.secret.fingerprint(),
            readable_by_script,
            radius: BlastRadius::default(),
        }
    }

    /// The same without any secret, and with what follows from the rest.
    #[must_use]
    pub fn scrubbed(mut self, vault: &crate::vault::Vault) -> Self {
        let radius = &mut self.radius;
        for text in &mut radius.works_for {
            *text = vault.scrub(text);
        }
        radius.works_for.sort();
        radius.works_for.dedup();
        radius.worst_s = radius.worst_s.or(radius.claimed_s);
        self
    }
}

impl Theft {
    /// The same without any secret.
    #[must_use]
    pub fn scrubbed(mut self, vault: &crate::vault::Vault) -> Self {
        self.ending = vault.scrub(&self.ending);
        for step in &mut self.moves {
            step.did = vault.scrub(&step.did);
            step.answer = vault.scrub(&step.answer);
        }
        self
    }
}
