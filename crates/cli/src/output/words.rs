//! Stable words of sessions and events, in sentences.

use countersign_core::domain::event::EventName;
use countersign_core::domain::session::EndReason;

/// Why a session ended, as an answer to "why was I logged out?".
pub(super) fn end(reason: &str) -> String {
    let sentence = match reason {
        "idle" => "nobody used it for as long as tokens.idle_ttl allows",
        "absolute" => "it reached tokens.absolute_ttl, the longest a session may last",
        _ => match EndReason::parse(reason) {
            None => return reason.to_owned(),
            Some(EndReason::Logout) => "the user signed out on this device",
            Some(EndReason::LogoutAll) => "the user signed out everywhere",
            Some(EndReason::EndedByUser) => "the user ended it from the list of sessions on another device",
            Some(EndReason::EndedByOperator) => "an operator ended it from the command line",
            Some(EndReason::Reuse) => {
                "a spent refresh token was presented: somebody holds a copy of it, so the session was ended for all holders"
            }
            Some(EndReason::PasswordChanged) => "the password was changed",
            Some(EndReason::UserDisabled) => "an operator disabled the user",
            Some(EndReason::SessionLimit) => {
                "a newer login took its place: the user was at accounts.max_sessions"
            }
            Some(EndReason::Replaced) => "the same browser signed in again",
            Some(EndReason::TokenRevoked) => "a service revoked one of its tokens",
            Some(EndReason::ScopeReduced) => "an operator took a scope from the user",
            Some(EndReason::Restored) => "the store was restored from a backup",
            Some(EndReason::Upstream) => "the application ended its own session, or its token expired",
        },
    };
    sentence.to_owned()
}

/// What an event says happened.
pub(super) fn event(name: &str) -> String {
    let sentence = match EventName::parse(name) {
        None => return name.to_owned(),
        Some(EventName::LoginSuccess) => "signed in",
        Some(EventName::LoginFail) => "sign-in failed",
        Some(EventName::LoginLock) => "sign-in delayed: too many failures",
        Some(EventName::PasswordChange) => "password changed",
        Some(EventName::TokenRevoked) => "session ended or key revoked",
        Some(EventName::TokenCreated) => "API key made",
        Some(EventName::ApiKeyNewPlace) => "API key used from a new network",
        Some(EventName::ApiKeyRefused) => "API key refused",
        Some(EventName::TokenReuse) => "THEFT: a spent token was presented",
        Some(EventName::SessionCreated) => "session opened",
        Some(EventName::SessionRenewed) => "tokens handed out again",
        Some(EventName::SessionExpired) => "session had expired",
        Some(EventName::SessionUseAfterExpire) => "token of an ended session presented",
        Some(EventName::AuthzFail) => "not permitted",
        Some(EventName::AuthzAdmin) => "operator's doing",
        Some(EventName::MaliciousCsrf) => "request refused that another site may have sent",
        Some(EventName::MaliciousCors) => "origin that is not allowed refused",
        Some(EventName::RateLimit) => "too many attempts",
        Some(EventName::InputValidationFail) => "malformed or forged input",
        Some(EventName::UserCreated) => "user created",
        Some(EventName::UserUpdated) => "user changed",
        Some(EventName::UserRemoved) => "user erased",
        Some(EventName::StoreRestored) => "store restored from a backup",
        Some(EventName::SysStartup) => "node started",
        Some(EventName::SysShutdown) => "node stopped",
        Some(EventName::SpentRefused) => "stale copy of a spent token refused",
        Some(EventName::CookieTossed) => "planted cookie refused",
        Some(EventName::WrongEnvironment) => "token of another environment refused",
        Some(EventName::Healed) => "continued after the store went back in time",
        Some(EventName::NewPlace) => "used from a new network or browser",
        Some(EventName::RetrofitUnchanged) => "an application's login answered without the configured token",
        Some(EventName::RetrofitTokenSeen) => "an application's token was where script could read it",
        Some(EventName::RetrofitRefreshRefused) => "an application handed out no fresh token",
        Some(EventName::KeyRotated) => "key changed",
    };
    sentence.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_event_has_words() {
        for reason in EndReason::ALL {
            assert_ne!(end(reason.as_str()), reason.as_str());
        }
        for name in EventName::ALL {
            assert_ne!(event(name.as_str()), name.as_str());
        }
        assert_eq!(end("of_another_version"), "of_another_version");
    }
}
