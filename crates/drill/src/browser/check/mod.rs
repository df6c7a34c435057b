//! The attacks themselves, one concern a file.

mod back;
mod caches;
mod csp;
mod csrf;
mod exfiltration;
mod framing;
mod login_csrf;
mod readable;
mod stored;

use super::Try;
use crate::check::Check;

/// Every check with its function, in the order in which they run: those that change nothing first.
pub(super) fn all() -> Vec<(Check, Try)> {
    vec![
        (readable::CHECK, readable::run),
        (exfiltration::CHECK, exfiltration::run),
        (csp::CHECK, csp::run),
        (framing::CHECK, framing::run),
        (caches::CHECK, caches::run),
        (stored::CHECK, stored::run),
        (csrf::CROSS_SITE, csrf::cross_site),
        (csrf::SAME_SITE, csrf::same_site),
        (login_csrf::CHECK, login_csrf::run),
        (back::CHECK, back::run),
    ]
}
