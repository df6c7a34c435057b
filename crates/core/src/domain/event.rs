//! Security events: the OWASP Logging Vocabulary, with `cs_…` where it has no name (requirements §I).

use std::net::IpAddr;

use super::id::{EventId, PublicId, RequestId, UserId};
use super::recognise::redact_and_cut;
use super::time::Timestamp;

/// How loud an event is. Not the level of a log line: that says who of the log's readers is meant, and has no word for theft.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Severity {
    /// For the record.
    Info,
    /// Somebody should look.
    Warn,
    /// A theft or an attack in progress.
    Critical,
}

impl Severity {
    /// Stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Critical => "critical",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warn, Self::Critical].into_iter().find(|l| l.as_str() == word)
    }
}

macro_rules! event_names {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $severity:ident;)*) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum EventName { $($(#[$doc])* $variant,)* }

        impl EventName {
            /// Every name.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the vocabulary.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// How loud it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Reads a name.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

event_names! {
    /// A user signed in.
    LoginSuccess = "authn_login_success", Info;
    /// Wrong credentials.
    LoginFail = "authn_login_fail", Warn;
    /// An account is being throttled.
    LoginLock = "authn_login_lock", Warn;
    /// A password was changed.
    PasswordChange = "authn_password_change", Info;
    /// An API key was made.
    TokenCreated = "authn_token_created", Info;
    /// Tokens were revoked: a session, a user's sessions, or all.
    TokenRevoked = "authn_token_revoked", Info;
    /// A spent token was presented: theft.
    TokenReuse = "authn_token_reuse", Critical;
    /// A session was opened.
    SessionCreated = "session_created", Info;
    /// A session was renewed in a noteworthy way (replay, reissue).
    SessionRenewed = "session_renewed", Info;
    /// A session came to its deadline and was asked for once more.
    SessionExpired = "session_expired", Info;
    /// A dead session's token was presented.
    SessionUseAfterExpire = "session_use_after_expire", Warn;
    /// A principal asked for what it may not have.
    AuthzFail = "authz_fail", Warn;
    /// An operator changed something.
    AuthzAdmin = "authz_admin", Info;
    /// A request from another site carried our cookies and was refused.
    MaliciousCsrf = "malicious_csrf", Warn;
    /// A cross-origin request from an origin that is not allowed.
    MaliciousCors = "malicious_cors", Warn;
    /// Too many attempts.
    RateLimit = "excess_rate_limit_exceeded", Warn;
    /// Malformed or forged input.
    InputValidationFail = "input_validation_fail", Warn;
    /// A user was created.
    UserCreated = "user_created", Info;
    /// A user was changed.
    UserUpdated = "user_updated", Info;
    /// A user was erased.
    UserRemoved = "user_deleted", Info;
    /// A node started.
    SysStartup = "sys_startup", Info;
    /// A node stopped.
    SysShutdown = "sys_shutdown", Info;
    /// A stale copy of a spent token was refused without ending the session.
    SpentRefused = "cs_spent_refused", Warn;
    /// Two cookies of one name, or a case variant: somebody planted one.
    CookieTossed = "cs_cookie_tossed", Warn;
    /// A token of another environment was presented.
    WrongEnvironment = "cs_wrong_environment", Warn;
    /// The store went back in time and a session was continued from the client's generation.
    Healed = "cs_rotation_healed", Warn;
    /// A session was used from a network or user agent that is new to it.
    NewPlace = "cs_session_new_place", Warn;
    /// An API key was used from a network that is new to it.
    ApiKeyNewPlace = "cs_api_key_new_place", Warn;
    /// An API key was presented that may not be used: revoked, expired, its owner disabled, or from another address.
    ApiKeyRefused = "cs_api_key_refused", Warn;
    /// The answer to an upstream's login passed as it was: without the configured token, too long, or unreadable.
    RetrofitUnchanged = "cs_retrofit_unchanged", Warn;
    /// An upstream's token was seen where script could have had it.
    RetrofitTokenSeen = "cs_retrofit_token_seen", Warn;
    /// An upstream handed out no fresh token.
    RetrofitRefreshRefused = "cs_retrofit_refresh_refused", Warn;
    /// A signing key or a master secret changed.
    KeyRotated = "cs_key_rotated", Info;
    /// A backup was put in the place of the store: what was ended since may live again.
    StoreRestored = "cs_store_restored", Warn;
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// Stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Success, Self::Refused].into_iter().find(|o| o.as_str() == word)
    }
}

/// A security event as stored and logged (I05). Free text is cleaned of control characters and capped (I04); it
/// never holds a secret (I01).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its own id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub name: EventName,
    /// What came of it.
    pub outcome: Outcome,
    /// Whose account it concerns.
    pub user: Option<UserId>,
    /// Which session, by its public id.
    pub session: Option<PublicId>,
    /// Keyed, truncated hash of the session id (I02): correlates events where the session is not stored.
    pub session_tag: Option<Box<str>>,
    /// Source address.
    pub ip: Option<IpAddr>,
    /// The request it happened in.
    pub request: Option<RequestId>,
    /// Stable reason code, for people who look inside (I06).
    pub reason: Box<str>,
    /// More for a person, cleaned and capped.
    pub detail: Box<str>,
}

/// Bytes of free text in an event.
const LONGEST_TEXT: usize = 512;

/// Removes control characters, redacts tokens and caps free text (I04, I01). Nobody is to put a token into an event; if somebody
/// does, the store and its backups still hold nothing that can be presented (D08).
#[must_use]
pub fn clean(text: &str) -> Box<str> {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    redact_and_cut(&plain, LONGEST_TEXT).into()
}

/// Which events to read.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of one user.
    pub user: Option<UserId>,
    /// Of one session.
    pub session: Option<PublicId>,
    /// Of one request.
    pub request: Option<RequestId>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// After this row in the store's order (for following).
    pub after: Option<u64>,
    /// At most so many, the newest ones unless `after` is set; zero means 100.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_follow_the_vocabulary() {
        for name in EventName::ALL {
            assert_eq!(EventName::parse(name.as_str()), Some(*name));
        }
        assert_eq!(EventName::TokenReuse.as_str(), "authn_token_reuse");
        assert_eq!(EventName::TokenReuse.severity(), Severity::Critical);
    }

    /// I04: log injection through user input.
    #[test]
    fn i04_free_text_is_cleaned() {
        assert_eq!(&*clean("a\r\nb\0\u{1b}[2Jc"), "ab[2Jc");
        assert_eq!(clean(&"x".repeat(9999)).len(), 512);
    }

    /// D08, I01: a token that got into an event's text is not written down, in the middle of a word either.
    #[test]
    fn d08_tokens_in_free_text_are_redacted() {
        let jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
        for text in
            [jwt.to_owned(), format!("first{jwt}"), format!("a {jwt} b"), format!("{}{jwt}", "p".repeat(500))]
        {
            let kept = clean(&text);
            assert!(!kept.contains("c2lnbmF0") && !kept.contains("eyJ"), "{kept}");
        }
        assert_eq!(&*clean("a\u{1b}eyJhbGciOiJFZERTQSJ9.eyJzd\0WIiOiJ4In0.c2lnbmF0dXJl"), "a[redacted JWT]");
        assert_eq!(&*clean("generation 3 presented, current 5"), "generation 3 presented, current 5");
    }
}
