//! What tests share: fakes of the outside, a whole site on loopback sockets, an application to stand behind it, and a
//! client with a cookie jar.
//!
//! A development-dependency only. Everything here fails the running test by panicking, as assertions do.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a kit for tests stops the test where it is wrong"
)]

mod capture;
mod client;
mod fake;
mod outside;
mod site;
mod tls;
mod upstream;

pub use capture::{Captured, Capturing, capture};
pub use client::{Answer, Client, Cookie, Cookies, Request, Sender};
pub use fake::{
    FailingStore, FakeClock, FakeHasher, FakeIssuers, FakeMasterKeys, Mode, RecordingMailer, SeededEntropy,
    Sent,
};
pub use outside::TestOutside;
pub use site::{Builder, Front, PASSWORD, TestSite, policy};
pub use upstream::{Seen, TestUpstream};
