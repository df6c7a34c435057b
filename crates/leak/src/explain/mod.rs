//! One token, explained: what it is, what it says, what is wrong with it, and what a thief could do with it for how long.
//!
//! Nothing is proven here, and nothing is asked of anybody: it is what the token says of itself. Neither the token nor its
//! secret part is in any explanation, so one can be pasted into a ticket.

mod claim;
mod decode;
mod flaw;
mod guess;
mod input;
mod jwt;
mod missing;
mod opaque;
mod ours;
mod radius;
mod report;
mod span;
mod standing;
mod times;

pub use claim::Member;
pub use flaw::{Flaw, Severity};
pub use input::Unreadable;
pub use missing::Missing;
pub use radius::{BlastRadius, Reach};
pub use report::{Explanation, Kind};
pub use span::span;
pub use standing::Standing;
pub use times::Times;

use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::compact::looks_like_jws;
use input::Given;

/// Takes the token out of what was pasted: bare, or with `Authorization: Bearer`, `Cookie: name=` or quotes around it.
///
/// # Errors
/// [`Unreadable`]; what it says holds nothing of the input.
pub fn token(input: &str) -> Result<&str, Unreadable> {
    input::given(input).map(|given| given.token)
}

/// Explains what was pasted; see [`token`] for what may stand around it.
///
/// # Errors
/// [`Unreadable`]; what it says holds nothing of the input.
pub fn explain(input: &str, now: Timestamp) -> Result<Explanation, Unreadable> {
    let given = input::given(input)?;
    let Given { token, .. } = given;
    if let Some(explanation) = ours::explain(&given) {
        return Ok(explanation);
    }
    if looks_like_jws(token) {
        return jwt::explain(token, now);
    }
    if decode::looks_like_jwe(token) {
        return Ok(opaque::encrypted());
    }
    let mut explanation = opaque::explain(token);
    if ours::has_csrf_size(token) {
        let hint = "anything at all, if it came as __Host-cs-csrf or X-CSRF-Token: then it is a CSRF token of Countersign, worth \
                    nothing without the session's cookies";
        explanation.blast_radius.cannot.push(hint.into());
    }
    Ok(explanation)
}

#[cfg(test)]
mod tests;
