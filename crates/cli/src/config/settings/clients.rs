//! Clients that are handed tokens (design §7), and applications that open sessions themselves.

use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::{ClientName, ClientTransport};

/// `[[client]]`: an application that gets tokens in a body.
#[derive(Debug)]
pub(crate) struct Client {
    /// Unique; `client_id` in requests and tokens.
    pub(crate) id: String,
    /// Where its tokens live.
    pub(crate) transport: ClientTransport,
    /// `aud` of its access tokens: part of `tokens.audience`, or all of it.
    pub(crate) audience: Option<Vec<String>>,
    /// What its sessions may do at most.
    pub(crate) scope: Option<Vec<String>>,
}

/// `[open_sessions]`: what an application with such a key may do.
#[derive(Debug)]
pub(crate) struct OpenSessions {
    /// Issuers whose users it may name by (iss, sub).
    pub(crate) issuers: Vec<String>,
    /// Whether the first login creates such a user.
    pub(crate) create_users: bool,
    /// What these sessions may do at most.
    pub(crate) scope: Option<Vec<String>>,
}

/// `audience` is `tokens.audience`.
pub(super) fn clients(
    typed: Vec<typed::Client>,
    audience: &[String],
    problems: &mut Vec<Problem>,
) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    for entry in typed {
        // What is missing or malformed was reported when it was read.
        let (Some(ClientName(id)), Some(transport)) = (entry.id, entry.transport) else { continue };
        let label = format!("client[{id}]");
        if clients.iter().any(|other| other.id == id) {
            let key = format!("{label}.id");
            let message = "another client has this id";
            problems.push(Problem::with_value(&key, &format!("{id:?}"), message, "give each its own"));
        }
        if let Some(own) = &entry.audience {
            judge_audience(own, audience, &format!("{label}.audience"), problems);
        }
        clients.push(Client {
            id,
            transport,
            audience: entry.audience,
            scope: entry.scope.map(|names| names.into_iter().map(|name| name.0).collect()),
        });
    }
    clients
}

/// A client's tokens may be good for less than all others, never for more: our own gateway accepts them too (D07).
fn judge_audience(own: &[String], all: &[String], key: &str, problems: &mut Vec<Problem>) {
    if own.is_empty() {
        let message = "a token for nobody in particular is a token for everybody";
        problems.push(Problem::with_value(
            key,
            "[]",
            message,
            "remove it, or name a part of tokens.audience",
        ));
    }
    if let Some(beyond) = own.iter().find(|name| !all.contains(name)) {
        let value = format!("{:?}", beyond.chars().take(80).collect::<String>());
        let message =
            "this is not in tokens.audience, and a client's tokens cannot be good for more than all others";
        problems.push(Problem::with_value(
            key,
            &value,
            message,
            "add it to tokens.audience, or take it out here",
        ));
    }
}

pub(super) fn open_sessions(typed: typed::OpenSessions, problems: &mut Vec<Problem>) -> OpenSessions {
    let issuers = typed.issuers.unwrap_or_default();
    let create_users = typed.create_users.unwrap_or(false);
    if let Some(odd) =
        issuers.iter().find(|iss| !(1..=255).contains(&iss.len()) || iss.chars().any(char::is_control))
    {
        let value = format!("{:?}", odd.chars().take(80).collect::<String>());
        let message = "an issuer is 1 to 255 bytes, without control characters";
        let remedy = "write it as the application sends it, such as \"https://login.example.com\"";
        problems.push(Problem::with_value("open_sessions.issuers", &value, message, remedy));
    }
    if create_users && issuers.is_empty() {
        let message = "users are created for issuers, and there are none";
        let remedy = "name the issuers in open_sessions.issuers, or remove this";
        problems.push(Problem::with_value("open_sessions.create_users", "true", message, remedy));
    }
    let scope = typed.scope.map(|names| names.into_iter().map(|name| name.0).collect());
    OpenSessions { issuers, create_users, scope }
}
