//! Token formats, one file a kind (design §4). Each kind has its own `typ` or prefix, so none passes for another (A08, A09).

pub mod access;
pub mod api_key;
pub mod assertion;
pub mod checksum;
pub mod claims;
pub mod compact;
pub mod json;
pub mod jwk;
pub mod jwks;
pub mod jws;
mod members;
pub mod refresh;
pub mod refusal;
pub mod standing;
pub mod trust;
pub mod unverified;

pub use refusal::TokenRefusal;
