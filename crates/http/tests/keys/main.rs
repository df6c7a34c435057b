//! Signing keys and master secrets that change under a site with users in it (design §4, H08).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stop the test where it is wrong"
)]

mod emergency;
mod master;
mod resealing;
mod signing;
mod under_load;
mod unknown;

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Client, TestSite};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// The ids in the JWKS.
async fn kids(site: &TestSite) -> Vec<String> {
    let answer = site.client().get("/.well-known/jwks.json").without_cookies().expect_status(200).await;
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    keys.iter().map(|k| k["kid"].as_str().unwrap().to_owned()).collect()
}

/// The key that signed a token.
fn kid_of(token: &str) -> String {
    let header = BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// The key that signed a browser's access token.
fn signed_by(client: &Client) -> String {
    kid_of(&client.cookie(CookieKind::Access).unwrap())
}
