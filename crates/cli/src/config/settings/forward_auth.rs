//! Who else may ask about requests: a proxy of the operator's own.

use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::ForwardingProxy;
use std::path::PathBuf;

/// `[forward_auth]` (design §7)
#[derive(Debug)]
pub(crate) struct ForwardAuth {
    /// Whose way of asking is understood.
    pub(crate) proxy: ForwardingProxy,
    /// Holds what the proxy shows to be believed.
    pub(crate) secret_file: PathBuf,
}

pub(super) fn forward_auth(typed: typed::ForwardAuth, problems: &mut Vec<Problem>) -> Option<ForwardAuth> {
    // A value that could not be read is a problem already, and not a missing one.
    let told = |key: &str| problems.iter().any(|problem| problem.key == key);
    let (proxy, file) = ("forward_auth.proxy", "forward_auth.secret_file");
    match (typed.proxy, typed.secret_file) {
        (Some(proxy), Some(secret_file)) => Some(ForwardAuth { proxy, secret_file }),
        (None, Some(_)) if !told(proxy) => {
            let message = "this is missing: each proxy asks in its own way, and only one may be understood";
            problems.push(Problem::without_value(proxy, message, "set forward_auth.proxy = \"nginx\""));
            None
        }
        (Some(_), None) if !told(file) => {
            let message = "this is missing: without a secret every client of the proxy could ask too";
            let remedy =
                "write one with `openssl rand -hex 32 > forward-auth.secret`, mode 600, and name the file";
            problems.push(Problem::without_value(file, message, remedy));
            None
        }
        _ => None,
    }
}
