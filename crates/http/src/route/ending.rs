//! Why a session ended, in words for the person who held it.

use countersign_core::domain::session::{EndReason, SessionPolicy};
use countersign_core::domain::time::Timestamp;
use countersign_core::service::Ending;

use super::describe;
use crate::pages::{Link, Notice};
use crate::wire::words::duration_words;

/// Where to look at one's sessions after signing in.
const SESSIONS: Link<'static> =
    Link { href: "/auth/login?return_to=/auth/account", label: "look at where you are signed in" };

/// For the sign-in page. `None` where the person knows: the same browser has signed in again since.
///
/// The holder of a copy reads the same words. They tell a thief no more than the refusal itself does.
pub(super) fn notice(
    ending: &Ending,
    now: Timestamp,
    policy: &SessionPolicy,
    product: &str,
) -> Option<Notice<'static>> {
    const GO_ON: &str = "Sign in to go on.";
    let when = Some(describe::moment(ending.at(), now));
    let calm = |happened: String, advice: &str| Notice {
        grave: false,
        happened,
        when: when.clone(),
        advice: advice.to_owned(),
        link: None,
    };
    let reason = match ending {
        Ending::Ended(ended) => ended.reason,
        Ending::Idle { .. } => {
            let happened =
                format!("Your session ended because it was not used for {}", duration_words(policy.idle_ttl));
            return Some(Notice { when: None, ..calm(happened, GO_ON) });
        }
        Ending::Aged { .. } => {
            let happened = format!(
                "Your session ended: after {} everybody signs in again",
                duration_words(policy.absolute_ttl)
            );
            return Some(Notice { when: None, ..calm(happened, GO_ON) });
        }
    };
    Some(match reason {
        EndReason::Replaced => return None,
        EndReason::Reuse => Notice {
            grave: true,
            happened: String::from(
                "A copy of your sign-in was used somewhere else, so we ended that session",
            ),
            when,
            advice: String::from(
                "Neither the copy nor this browser can use it any more. Sign in, change your password if somebody may know it, and",
            ),
            link: Some(SESSIONS),
        },
        EndReason::Logout => calm(String::from("You signed out of this session"), GO_ON),
        EndReason::LogoutAll => Notice {
            link: Some(SESSIONS),
            ..calm(
                String::from("You were signed out everywhere, at your wish"),
                "If it was not you, sign in, change your password, and",
            )
        },
        EndReason::EndedByUser => Notice {
            link: Some(SESSIONS),
            ..calm(
                String::from("This session was ended from another of your devices"),
                "If it was not you, sign in, change your password, and",
            )
        },
        EndReason::EndedByOperator => {
            calm(format!("Whoever runs {product} ended your session"), "Sign in to go on.")
        }
        EndReason::PasswordChanged => calm(
            String::from("The password of your account was changed, which ended this session"),
            "Sign in with the new one. If you did not change it, tell whoever runs this site at once.",
        ),
        EndReason::UserDisabled => calm(
            format!("Whoever runs {product} closed your account"),
            "Ask them if you think that this is a mistake.",
        ),
        EndReason::SessionLimit => calm(
            String::from(
                "You signed in on more devices than are allowed at a time, so this session, your oldest, ended",
            ),
            GO_ON,
        ),
        EndReason::TokenRevoked => {
            calm(String::from("An application that you use ended this session"), GO_ON)
        }
        EndReason::ScopeReduced => calm(
            format!("Whoever runs {product} changed what you may do here, which ended your session"),
            GO_ON,
        ),
        EndReason::Restored => {
            calm(String::from("All sessions ended when the server was restored from a backup"), GO_ON)
        }
        EndReason::Upstream => calm(String::from("The application ended your session"), GO_ON),
    })
}

/// For the list of ended sessions.
pub(super) const fn reason(ending: &Ending) -> &'static str {
    match ending {
        Ending::Idle { .. } => "Not used any more",
        Ending::Aged { .. } => "Reached its greatest age",
        Ending::Ended(ended) => match ended.reason {
            EndReason::Logout => "Signed out",
            EndReason::LogoutAll => "Signed out everywhere",
            EndReason::EndedByUser => "Ended from another device",
            EndReason::EndedByOperator => "Ended by an operator",
            EndReason::Reuse => "A copy was used elsewhere",
            EndReason::PasswordChanged => "Password changed",
            EndReason::UserDisabled => "Account closed",
            EndReason::SessionLimit => "Too many sessions",
            EndReason::Replaced => "Signed in again",
            EndReason::TokenRevoked => "Ended by an application",
            EndReason::ScopeReduced => "Rights changed",
            EndReason::Restored => "Server restored",
            EndReason::Upstream => "Ended by the application itself",
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_core::domain::session::Ended;

    use super::*;

    const POLICY: SessionPolicy = SessionPolicy {
        access_ttl: Duration::from_secs(900),
        idle_ttl: Duration::from_secs(7 * 86_400),
        absolute_ttl: Duration::from_secs(30 * 86_400),
        leeway: Duration::ZERO,
    };

    fn said(ending: Ending) -> Option<Notice<'static>> {
        notice(&ending, Timestamp::from_secs(1000), &POLICY, "Acme")
    }

    #[test]
    fn every_end_has_words_and_only_theft_is_grave() {
        for reason in EndReason::ALL {
            let ending = Ending::Ended(Ended { at: Timestamp::from_secs(700), reason });
            let Some(notice) = said(ending) else {
                assert_eq!(reason, EndReason::Replaced);
                continue;
            };
            assert_eq!(notice.grave, reason == EndReason::Reuse, "{reason:?}");
            assert_eq!(notice.when.unwrap().text, "5 minutes ago");
            assert!(!notice.happened.ends_with('.'), "{reason:?}: the template ends the sentence");
            assert_eq!(notice.advice.ends_with('.'), notice.link.is_none(), "{reason:?}");
        }
        let at = Timestamp::from_secs(0);
        assert!(said(Ending::Idle { at }).unwrap().happened.ends_with("not used for 7 days"));
        assert!(said(Ending::Aged { at }).unwrap().happened.contains("after 30 days"));
    }
}
