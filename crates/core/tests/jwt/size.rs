//! A16: hostile sizes are refused quickly, before anything is parsed. Times are for `benches/`; here only that a
//! token's length bounds the work.

use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::token::jws::{JwsRefusal, MAX_TOKEN};
use data_encoding::BASE64URL_NOPAD;

use crate::maker::{Maker, access_claims};

/// A16: the longest token that is read, and the shortest that is not.
#[test]
fn a16_token_length() {
    let maker = Maker::new(Algorithm::EdDsa);
    let header = maker.header("at+jwt").to_string();
    let of = |spaces: usize| maker.raw(&header, &format!("{}{}", " ".repeat(spaces), access_claims()));
    let longest = (0..MAX_TOKEN).map(of).take_while(|t| t.len() <= MAX_TOKEN).step_by(512).last().unwrap();
    drop(maker.access(&longest).unwrap());
    let long = of(MAX_TOKEN * 3 / 4);
    assert!(long.len() > MAX_TOKEN);
    assert_eq!(maker.access(&long).unwrap_err(), JwsRefusal::TooLong.into());
    assert_eq!(maker.access(&"a".repeat(1 << 20)).unwrap_err(), JwsRefusal::TooLong.into());
}

/// A16: a header of more than a kilobyte, even within a short token.
#[test]
fn a16_header_length() {
    let maker = Maker::new(Algorithm::EdDsa);
    let header = format!("{}{}", " ".repeat(1024), maker.header("at+jwt"));
    let token = maker.raw(&header, &access_claims().to_string());
    assert_eq!(maker.access(&token).unwrap_err(), JwsRefusal::Malformed.into());
}

/// A16: nesting within the length that is read; a thousand small unknown members, all distinct, are fine.
#[test]
fn a16_nesting_and_breadth() {
    let maker = Maker::new(Algorithm::EdDsa);
    let header = BASE64URL_NOPAD.encode(maker.header("at+jwt").to_string().as_bytes());
    for payload in ["[".repeat(5000), "{\"a\":".repeat(1000), "\"".to_owned(), "[".repeat(7) + &"]".repeat(7)]
    {
        let token = format!("{header}.{}.AAAA", BASE64URL_NOPAD.encode(payload.as_bytes()));
        assert_eq!(maker.access(&token).unwrap_err(), JwsRefusal::Malformed.into());
    }
    let mut claims = access_claims();
    for n in 0..500 {
        claims.as_object_mut().unwrap().insert(format!("x{n}"), n.into());
    }
    drop(maker.access(&maker.token("at+jwt", &claims)).unwrap());
}
