//! Whoever holds the session's cookies: the honest browser, or a thief with a copy of its jar.

use countersign_core::domain::id::Generation;
use countersign_core::domain::time::Timestamp;

/// An access token, as far as rotation cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Access {
    pub(crate) generation: Generation,
    pub(crate) expires_at: Timestamp,
}

/// The two cookies. All tabs share one jar; a request carries what the jar holds when it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Jar {
    pub(crate) refresh: Generation,
    pub(crate) access: Option<Access>,
}

/// What an answer sets. Keep leaves the refresh cookie alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SetCookies {
    pub(crate) refresh: Option<Generation>,
    pub(crate) access: Access,
}

impl Jar {
    pub(crate) fn opened() -> Self {
        Self { refresh: Generation::FIRST, access: None }
    }

    pub(crate) fn store(&mut self, cookies: SetCookies) {
        self.refresh = cookies.refresh.unwrap_or(self.refresh);
        self.access = Some(cookies.access);
    }
}
