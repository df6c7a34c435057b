//! The secrets that go over `admin.sock`. They are serialised for it, which only the same user and root can open, and
//! for whoever asked; nothing prints them by `{:?}` (I03).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// A password on its way from the terminal to the hasher.
pub(crate) struct Passphrase(pub(crate) Zeroizing<String>);

/// The link of an invitation on its way to the operator, who hands it over.
#[derive(PartialEq, Eq)]
pub(crate) struct Link(pub(crate) Zeroizing<String>);

/// An API key on its way to the operator, shown once.
#[derive(PartialEq, Eq)]
pub(crate) struct KeyText(pub(crate) Zeroizing<String>);

/// A token that somebody found, on its way to be looked at.
pub(crate) struct Found(pub(crate) Zeroizing<String>);

macro_rules! secret {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}
secret!(Passphrase);
secret!(Link);
secret!(KeyText);
secret!(Found);
