//! A small HTTP/1.1 client for attackers: it sends exactly what it is told, follows nothing, shares nothing between people.
//!
//! Each request has a connection of its own, so that no answer depends on what another person said on it before. Each
//! [`Agent`] has a cookie jar of its own, and reads Set-Cookie to the attribute: the attributes are what is judged.

mod agent;
mod answer;
mod ask;
mod jar;
mod net;
mod pace;
mod set_cookie;
mod tls;

pub use agent::{Agent, Device};
pub use answer::Answer;
pub use ask::{Ask, Body, Cookies, From};
pub use jar::{Jar, Kept};
pub use net::{Limits, Net, NetError};
pub use pace::Pace;
pub use set_cookie::{SameSite, SetCookie, http_date};
pub use tls::{TlsError, Trust};
