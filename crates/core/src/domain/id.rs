//! Identifiers. Random parts are drawn through the entropy port and passed in.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::base62;

/// Session id: 128 random bits. It is inside every token, so it never prints (I01); people see the [`PublicId`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid([u8; 16]);

impl Sid {
    /// From 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The claim `sid`: unpadded base64url, 22 characters.
    #[must_use]
    pub fn to_claim(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// Reads the claim `sid`.
    #[must_use]
    pub fn from_claim(claim: &str) -> Option<Self> {
        BASE64URL_NOPAD.decode(claim.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(..)")
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// From 16 random bytes, as 22 base62 digits.
            #[must_use]
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(base62::encode(&bytes, 22).into())
            }

            /// Reads an identifier: 1 to 64 characters of `[A-Za-z0-9_-]`. `None` otherwise.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let good = (1..=64).contains(&text.len())
                    && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
                good.then(|| Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

text_id!(
    /// What pages, APIs and logs show instead of the [`Sid`]. Knowing it grants nothing.
    PublicId
);
text_id!(
    /// A user: the opaque `sub` claim. The identity key is (iss, sub), never the e-mail address (A21).
    UserId
);
text_id!(
    /// Correlates an answer, its log lines and its events.
    RequestId
);
text_id!(
    /// A security event.
    EventId
);
text_id!(
    /// The `jti` of a token.
    TokenId
);

impl UserId {
    /// How the ids of users begin who are known for one session only.
    pub const PASSING: &str = "passing_";

    /// From 16 random bytes, for a user who is known for one session only: the row may go once the session's has gone.
    #[must_use]
    pub fn passing(bytes: [u8; 16]) -> Self {
        Self(format!("{}{}", Self::PASSING, base62::encode(&bytes, 22)).into())
    }

    /// Whether that is so.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.0.starts_with(Self::PASSING)
    }
}

/// Which master secret a session was opened with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KeyId(pub u8);

/// A session's counter: one refresh token per generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation that a session is opened with.
    pub const FIRST: Self = Self(1);

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A user's counter, copied into sessions and tokens when they are opened; raising it ends them all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Epoch(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    /// I03: the session id never prints.
    #[test]
    fn i03_sid_never_prints() {
        assert_eq!(format!("{:?}", Sid::from_bytes([7; 16])), "Sid(..)");
    }

    #[test]
    fn claim_round_trip() {
        let sid = Sid::from_bytes([0xfe; 16]);
        assert_eq!(Sid::from_claim(&sid.to_claim()), Some(sid));
        assert_eq!(Sid::from_claim("short"), None);
        assert_eq!(Sid::from_claim(&format!("{}=", sid.to_claim())), None);
    }

    #[test]
    fn text_ids_are_bounded() {
        assert!(PublicId::parse("abc-DEF_9").is_some());
        for bad in ["", "a b", "a/b", "ü", &"x".repeat(65)] {
            assert!(PublicId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
