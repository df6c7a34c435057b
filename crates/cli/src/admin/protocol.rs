//! What goes over `admin.sock`, shared by both ends. Both ends have to be of one version: the socket is no API.

use super::api_keys::ApiKeyRequest;
pub(crate) use super::api_keys::{ApiKey, NewApiKey};
mod shown;

pub(crate) use super::secret::{Found, Link, Passphrase};
pub(crate) use super::token::Worth;
use serde::{Deserialize, Serialize};
pub(crate) use shown::{Event, Explained, Invitation, Key, MasterKey, Session, State, User};

/// Compared by the server before anything else.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Longest line that either side reads, in bytes.
pub(crate) const MAX_REQUEST: usize = 64 * 1024;
/// An answer may hold thousands of events.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// One request with the version of who asks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<R> {
    /// [`VERSION`] of the client.
    pub(crate) version: String,
    /// The store that the client's configuration names ([`super::socket::identity`]). One directory may hold several, and a
    /// command meant for one must not be done to another.
    pub(crate) store: String,
    /// What is asked.
    pub(crate) request: R,
}

/// The version alone: read first, because a request of another version may not be readable.
#[derive(Debug, Deserialize)]
pub(crate) struct VersionOnly {
    /// [`VERSION`] of the other end.
    pub(crate) version: String,
}

/// An answer with the version of who gives it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// [`VERSION`] of the server.
    pub(crate) version: String,
    /// What came of the request.
    pub(crate) answer: Answer,
}

/// What an operator asks for. Text as typed: the handler parses it and says what is wrong.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Adds a user.
    UserAdd {
        /// Account name.
        email: String,
        /// Initial password.
        password: Passphrase,
        /// What the user may do.
        scope: Vec<String>,
    },
    /// Invites somebody to make an account.
    UserInvite {
        /// Address.
        email: String,
        /// What the user may do.
        scope: Vec<String>,
    },
    /// Lists users by address.
    UserList {
        /// After this address.
        after: Option<String>,
    },
    /// Disables or enables a user.
    UserDisable {
        /// Account name.
        email: String,
        /// Whether to disable.
        disabled: bool,
    },
    /// Gives and takes scopes.
    UserScope {
        /// Account name.
        email: String,
        /// To give.
        add: Vec<String>,
        /// To take.
        remove: Vec<String>,
    },
    /// Erases a user.
    UserRemove {
        /// Account name.
        email: String,
    },
    /// Sets a password.
    UserPassword {
        /// Account name.
        email: String,
        /// The new one.
        password: Passphrase,
    },
    /// Lists sessions.
    SessionList {
        /// Of this user: address or id.
        user: Option<String>,
        /// Ended ones too.
        all: bool,
    },
    /// Explains a session.
    SessionShow {
        /// Public id.
        id: String,
    },
    /// About API keys.
    ApiKey(ApiKeyRequest),
    /// Tells what a token is worth, without using it.
    Inspect {
        /// An access token, a refresh token or an API key.
        token: Found,
    },
    /// Lists signing keys.
    SigningKeyList,
    /// Lets the next signing key sign, or makes one.
    SigningKeyRotate {
        /// Without waiting until verifiers know the key.
        force: bool,
    },
    /// Revokes a signing key.
    SigningKeyRetire {
        /// Thumbprint.
        kid: String,
    },
    /// Lists master secrets.
    MasterKeyList,
    /// Adds a master secret and seals everything under it.
    MasterKeyRotate,
    /// Reads the master secrets again and seals everything under the current one.
    MasterKeyReseal,
    /// Removes a master secret.
    MasterKeyRemove {
        /// Its id.
        id: u8,
    },
    /// Ends one session.
    RevokeSession {
        /// Public id.
        id: String,
    },
    /// Ends a user's sessions.
    RevokeUser {
        /// Address or id.
        user: String,
    },
    /// Ends everybody's.
    RevokeAll,
    /// Reads events.
    Events(EventQuery),
    /// Copies the store.
    Backup {
        /// Absolute path of the new file.
        path: String,
    },
}

impl Request {
    /// Whether somebody may be waiting for this to lock a thief out.
    pub(super) fn stops_an_attack(&self) -> bool {
        matches!(
            self,
            Self::RevokeSession { .. }
                | Self::RevokeUser { .. }
                | Self::RevokeAll
                | Self::UserDisable { disabled: true, .. }
                | Self::UserRemove { .. }
                | Self::SigningKeyRetire { .. }
                | Self::ApiKey(ApiKeyRequest::Revoke { .. } | ApiKeyRequest::RevokeAllOf { .. })
        )
    }
}

/// Which events to read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EventQuery {
    /// Address or id of a user.
    pub(crate) user: Option<String>,
    /// Public id of a session.
    pub(crate) session: Option<String>,
    /// Id of a request.
    pub(crate) request: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub(crate) since: Option<i64>,
    /// After this row.
    pub(crate) after: Option<u64>,
    /// At most so many.
    pub(crate) limit: u32,
}

/// The answer: done, or why not.
pub(crate) type Answer = Result<Reply, Fault>;

/// Why something was not done, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    /// For a person.
    pub(crate) message: String,
}

impl Fault {
    /// With this message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// What was done or found.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// One user.
    User(User),
    /// A user's scopes were changed.
    Scoped {
        /// With the scopes that they have now.
        user: User,
        /// How many sessions ended, if the user lost a scope.
        ended: Option<usize>,
    },
    /// A user was erased.
    Removed {
        /// As they were.
        user: User,
        /// How many sessions ended.
        sessions: usize,
        /// How many API keys were revoked.
        api_keys: usize,
    },
    /// An invitation was made.
    Invited(Invitation),
    /// Users.
    Users {
        /// By address.
        users: Vec<User>,
        /// Whether there are more after the last.
        more: bool,
    },
    /// Sessions.
    Sessions {
        /// Newest first.
        sessions: Vec<Session>,
        /// Whether there are more.
        more: bool,
    },
    /// One session with what happened last.
    Session(Box<Explained>),
    /// Signing keys.
    Keys {
        /// All of them.
        keys: Vec<Key>,
    },
    /// Master secrets; nothing of themselves.
    MasterKeys {
        /// By id.
        keys: Vec<MasterKey>,
        /// How many values were sealed anew, if that was asked.
        resealed: Option<u64>,
    },
    /// How many sessions ended.
    Revoked {
        /// Count.
        ended: usize,
    },
    /// An API key was made.
    ApiKeyMade(Box<NewApiKey>),
    /// API keys.
    ApiKeys {
        /// Newest first.
        api_keys: Vec<ApiKey>,
    },
    /// How many API keys were revoked.
    ApiKeysRevoked {
        /// Count.
        revoked: usize,
    },
    /// What a token is worth; nothing, if absent.
    Worth(Option<Worth>),
    /// Events with their rows.
    Events {
        /// In the order in which they happened.
        events: Vec<Event>,
    },
    /// All was so already; holds what would have been answered.
    Unchanged(Box<Reply>),
    /// Done.
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    /// I03: what may be logged of a request holds no password.
    #[test]
    fn i03_requests_do_not_print_passwords() {
        let password = Passphrase(Zeroizing::new("correct horse".into()));
        let request = Request::UserPassword { email: "a@b.c".into(), password };
        assert!(!format!("{request:?}").contains("horse"));
        let line = serde_json::to_string(&request).unwrap();
        assert!(line.contains("horse"), "the server needs it");
        assert!(matches!(serde_json::from_str(&line).unwrap(), Request::UserPassword { .. }));
    }

    /// I01: nor does what is said of an answer hold a code.
    #[test]
    fn i01_answers_do_not_print_links() {
        let link = Link(Zeroizing::new("https://localhost/auth/signup?invitation=secret-code".into()));
        let (email, expires_at) = (String::from("a@b.c"), String::new());
        let reply = Reply::Invited(Invitation {
            email,
            scope: Vec::new(),
            expires_at,
            mailed: false,
            link: Some(link),
        });
        assert!(!format!("{reply:?}").contains("secret-code"));
        let line = serde_json::to_string(&reply).unwrap();
        assert!(line.contains("secret-code"), "the operator needs it");
        assert_eq!(serde_json::from_str::<Reply>(&line).unwrap(), reply);
    }

    #[test]
    fn unknown_commands_and_fields_are_refused() {
        assert!(serde_json::from_str::<Request>(r#"{"command":"format_disk"}"#).is_err());
        assert!(serde_json::from_str::<Request>(r#"{"command":"user_list","after":null,"x":1}"#).is_err());
        assert!(serde_json::from_str::<Request>(r#"{"command":"user_list","after":null}"#).is_ok());
    }
}
