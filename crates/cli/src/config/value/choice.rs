//! Values that are one of a few words.

use crate::config::suggest;
use crate::config::typed::{Leaf, Misfit};
use std::fmt;
use toml::Value;

/// One definition makes the enum, its words, and the error that lists them. Words are read without regard to case.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal $(or $alias:literal)?,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word as documented.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl Leaf for $name {
            fn from_text(text: &str) -> Result<Self, Misfit> {
                $(if text.eq_ignore_ascii_case($word) $(|| text.eq_ignore_ascii_case($alias))? {
                    return Ok(Self::$variant);
                })*
                Err(unknown_word(text, Self::WORDS))
            }

            fn from_toml(value: &Value) -> Result<Self, Misfit> {
                match value {
                    Value::String(text) => Self::from_text(text),
                    other => Err(no_word(other, Self::WORDS)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.word())
            }
        }
    };
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// In quotes, `true` would be wrong still.
fn no_word(value: &Value, words: &[&str]) -> Misfit {
    let message = format!("a word in quotes was expected, not {}", value.type_str());
    Misfit::new(&message, &format!("write one of {}", listed(words)))
}

fn unknown_word(text: &str, words: &[&str]) -> Misfit {
    let known = listed(words);
    match suggest::nearest(text, words.iter().copied()) {
        Some(near) => Misfit::new(&format!("this is none of {known}"), &format!("did you mean {near:?}?")),
        None => Misfit::new("this word is not known here", &format!("write one of {known}")),
    }
}

choice! {
    /// `tls.mode`
    TlsMode { LocalCa = "local-ca", Files = "files", Off = "off", }
}
choice! {
    /// `rotation.after_rollback`: what to do with a generation newer than the store's (design §5).
    AfterRollback { Heal = "heal", Revoke = "revoke", }
}
choice! {
    /// `client.transport` (design §7).
    ClientTransport { Memory = "memory", Body = "body", }
}
choice! {
    /// `cookies.same_site` (B06).
    SameSite { Strict = "strict", Lax = "lax", None = "none", }
}
choice! {
    /// `accounts.signup`
    Signup { Off = "off", Invite = "invite", Open = "open", }
}
choice! {
    /// `accounts.at_max_sessions`: what the login does that would exceed the limit (D14).
    AtMaxSessions { EndOldest = "end-oldest", Refuse = "refuse", }
}
choice! {
    /// `log.format`
    LogFormat { Pretty = "pretty", Json = "json", }
}
choice! {
    /// `log.level`
    LogLevel { Error = "error", Warn = "warn", Info = "info", Debug = "debug", Trace = "trace", }
}
choice! {
    /// `keys.algorithm`; the fully specified name of RFC 9864 is understood too (A20).
    Algorithm { EdDsa = "EdDSA" or "Ed25519", Es256 = "ES256", }
}
choice! {
    /// `forward_auth.proxy`: whose way of asking is understood.
    ForwardingProxy { Nginx = "nginx", Caddy = "caddy", Haproxy = "haproxy", Traefik = "traefik", Envoy = "envoy", }
}
choice! {
    /// `route.auth`
    Auth { Required = "required", Optional = "optional", None = "none", }
}
choice! {
    /// `route.csrf`
    Csrf { Origin = "origin", Token = "token", Off = "off", }
}
choice! {
    /// `upstream.csrf`; there is no `off` for a whole upstream.
    UpstreamCsrf { Origin = "origin", Token = "token", }
}
choice! {
    /// `route.cors`: who answers preflights.
    Cors { Countersign = "countersign", Upstream = "upstream", }
}
choice! {
    /// `upstream.host`: the `Host` header that the upstream sees.
    HostHeader { Preserve = "preserve", Upstream = "upstream", }
}

impl From<UpstreamCsrf> for Csrf {
    fn from(check: UpstreamCsrf) -> Self {
        match check {
            UpstreamCsrf::Origin => Self::Origin,
            UpstreamCsrf::Token => Self::Token,
        }
    }
}
