//! Values and pure decisions. Nothing here waits, reads a clock or draws randomness.

pub mod api_key;
pub mod base62;
pub mod client;
pub mod cookie;
pub mod csrf;
pub mod device;
pub mod environment;
pub mod event;
pub mod id;
pub mod identity;
pub mod isolation;
pub mod key;
pub mod password;
pub mod policy;
pub mod recognise;
pub mod return_to;
pub mod rotation;
pub mod route;
pub mod scope;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod throttle;
pub mod time;
pub mod token;
pub mod user;
