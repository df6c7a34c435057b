//! `/auth/verify`: asked directly, and by real proxies that run the very recipes of `docs/recipes` (design §7; K05, K06).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong, in its own functions too"
)]

mod direct {
    mod api_keys;
    mod hidden;
    mod logging;
    mod question;
    mod stale;
    mod verdict;
}
mod proxied {
    mod paths;
    mod people;
    mod requests;
    mod sessions;
}
mod proxy;
mod recipe;
mod scene;
