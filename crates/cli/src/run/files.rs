//! The limit on open files: shells and systemd start programs with 1024, for the sake of ones that use select(2).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as the system permits, and gives it; `None` is no limit.
pub(super) fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return maximum;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, ?current, ?maximum, "the limit on open files could not be raised");
            current
        }
    }
}

/// What a server that is started from here could open.
pub(crate) fn permitted() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}
