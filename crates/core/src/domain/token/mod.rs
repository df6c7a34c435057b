//! Token formats, one file a kind (design §4). Each kind has its own `typ` or prefix, so none passes for another (A08, A09).

pub mod access;
pub mod api_key;
pub mod assertion;
pub mod checksum;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod refresh;
