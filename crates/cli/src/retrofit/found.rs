//! What was learned of an application; plain values, and no secret among them.

use serde::Serialize;

/// How an application signs people in, and what it does with their tokens. Places and templates are written as in
/// `[[retrofit]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    /// Scheme, host and port, as the gateway reaches it.
    pub(crate) url: String,
    /// Requests whose answers bring a token: `POST /api/login`.
    pub(crate) login: Vec<String>,
    /// Requests that sign out.
    pub(crate) logout: Vec<String>,
    /// Where the token is: `json:/token`, `header:x-auth-token`, `cookie:sid`.
    pub(crate) token: String,
    /// How it goes back: `authorization: Bearer {token}`.
    pub(crate) inject: String,
    /// Where a JWT names its user: `/sub`.
    pub(crate) subject: Option<String>,
    /// How it is renewed.
    pub(crate) refresh: Option<Refresh>,
    /// Seconds for which a token says, or its cookie says, that it is good.
    pub(crate) lifetime: Option<u64>,
    /// The request that told who is signed in, for people.
    pub(crate) who: String,
    /// What could not be found, or must be decided by somebody who knows the application; whole sentences.
    pub(crate) open: Vec<String>,
}

/// How a token is renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refresh {
    /// `POST /api/refresh`.
    pub(crate) request: String,
    /// Where the refresh token is in the answers, if it has one of its own.
    pub(crate) token: Option<String>,
    /// Where it goes in the call, if that is another place.
    pub(crate) send: Option<String>,
    /// Where the fresh token is in the answer, if that is another place than at login.
    pub(crate) answer: Option<String>,
}
