//! Whose an upstream's token is.

use std::fmt;

use aws_lc_rs::digest;

use crate::domain::csrf::PreSession;
use crate::domain::id::Sid;

/// Whose an upstream's token is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A session's; it goes when the session ends.
    Session(Sid),
    /// A visitor's who has not signed in: what some frameworks set before login. By SHA-256 of the pre-session, so that the store
    /// holds nothing that can be presented (D08).
    Visitor([u8; 32]),
}

impl Holder {
    /// The holder that a pre-session cookie stands for.
    #[must_use]
    pub fn visitor(pre: &PreSession) -> Self {
        let mut hash = [0; 32];
        let digest = digest::digest(&digest::SHA256, pre.to_cookie().expose().as_bytes());
        for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self::Visitor(hash)
    }

    /// 16 bytes of a session, 32 of a visitor.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Session(sid) => sid.as_bytes(),
            Self::Visitor(hash) => hash,
        }
    }

    /// The reverse.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if let Ok(sid) = bytes.try_into() {
            return Some(Self::Session(Sid::from_bytes(sid)));
        }
        bytes.try_into().ok().map(Self::Visitor)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Holder::Session(..)",
            Self::Visitor(_) => "Holder::Visitor(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_the_kinds_apart() {
        let (session, visitor) =
            (Holder::Session(Sid::from_bytes([3; 16])), Holder::visitor(&PreSession::from_random([3; 16])));
        for holder in [session, visitor] {
            assert_eq!(Holder::from_bytes(holder.as_bytes()), Some(holder));
        }
        assert_eq!((session.as_bytes().len(), visitor.as_bytes().len()), (16, 32));
        assert_eq!(Holder::from_bytes(&[0; 17]), None);
        assert!(!visitor.as_bytes().windows(16).any(|part| part == [3; 16]));
    }
}
