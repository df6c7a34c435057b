//! Headers and serialisations: A01-A03, A05-A08, A14-A16, A20.

use aws_lc_rs::hmac;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::token::TokenRefusal;
use countersign_core::domain::token::jws::{self, JwsRefusal};
use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use serde_json::{Value, json};

use crate::maker::{Maker, access_claims, with, without};

const BOTH: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Es256];

fn refusal(maker: &Maker, header: &Value) -> TokenRefusal {
    maker.access(&maker.raw(&header.to_string(), &access_claims().to_string())).unwrap_err()
}

/// A01: exact names of algorithms that we verify with, and nothing else. The signature is good each time.
#[test]
fn a01_only_allowed_algorithms() {
    for maker in BOTH.map(Maker::new) {
        let good = maker.header("at+jwt");
        drop(maker.access(&maker.raw(&good.to_string(), &access_claims().to_string())).unwrap());
        for alg in [
            "none", "None", "NONE", "noNE", "", "eddsa", "es256", "HS256", "RS256", "PS256", "ES384",
            "ES512", "Ed448",
        ] {
            assert_eq!(
                refusal(&maker, &with(good.clone(), "alg", json!(alg))),
                JwsRefusal::Algorithm.into(),
                "{alg}"
            );
        }
        for alg in
            [json!(["EdDSA"]), json!(["ES256"]), json!(null), json!(1), json!({"alg": "EdDSA"}), json!(true)]
        {
            assert_eq!(refusal(&maker, &with(good.clone(), "alg", alg)), JwsRefusal::Algorithm.into());
        }
        assert_eq!(refusal(&maker, &without(good, "alg")), JwsRefusal::Algorithm.into());
    }
}

/// A01: `alg: none` with no signature, an empty one, or garbage.
#[test]
fn a01_unsigned() {
    let maker = Maker::new(Algorithm::EdDsa);
    for alg in ["none", "EdDSA", "ES256"] {
        let header = with(maker.header("at+jwt"), "alg", json!(alg)).to_string();
        let token = maker.raw(&header, &access_claims().to_string());
        let (signed, _) = token.rsplit_once('.').unwrap();
        for signature in ["", "AA", &"A".repeat(86)] {
            assert!(maker.access(&format!("{signed}.{signature}")).is_err());
        }
        assert_eq!(maker.access(signed).unwrap_err(), JwsRefusal::Malformed.into());
    }
}

/// A02: HMAC with everything public about the key as its secret; and each algorithm's name with the other's key.
#[test]
fn a02_key_confusion() {
    for maker in BOTH.map(Maker::new) {
        let key = &maker.keys[maker.kid.as_str()];
        let jwk = key.to_jwk();
        let raw = [jwk.get("x"), jwk.get("y")].into_iter().flatten();
        let raw: Vec<u8> =
            raw.flat_map(|c| BASE64URL_NOPAD.decode(c.as_str().unwrap().as_bytes()).unwrap()).collect();
        let der =
            [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &raw].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            data_encoding::BASE64.encode(&der)
        );
        let secrets = [
            raw,
            der,
            pem.trim_end().as_bytes().to_vec(),
            pem.into_bytes(),
            jwk.to_string().into_bytes(),
            Vec::new(),
        ];
        for (alg, secret) in
            ["HS256", maker.alg()].into_iter().flat_map(|alg| secrets.iter().map(move |s| (alg, s)))
        {
            let header = with(maker.header("at+jwt"), "alg", json!(alg)).to_string();
            let token = maker.raw(&header, &access_claims().to_string());
            let (signed, _) = token.rsplit_once('.').unwrap();
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            let forged = jws::assemble(signed.to_owned(), tag.as_ref());
            let wanted = if alg == "HS256" { JwsRefusal::Algorithm } else { JwsRefusal::Signature };
            assert_eq!(maker.access(&forged).unwrap_err(), wanted.into());
        }
        let other = if maker.alg() == "EdDSA" { "ES256" } else { "EdDSA" };
        let confused = with(maker.header("at+jwt"), "alg", json!(other));
        assert_eq!(refusal(&maker, &confused), JwsRefusal::Algorithm.into());
    }
}

/// A03: a key in the token is never used, not even looked at: its own valid signature does not help.
#[test]
fn a03_keys_in_tokens() {
    let (maker, attacker) = (Maker::new(Algorithm::EdDsa), Maker::new(Algorithm::EdDsa));
    let jwk = attacker.keys[attacker.kid.as_str()].to_jwk();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("x5u", json!("http://127.0.0.1:9/cert")),
        ("x5c", json!(["AAAA"])),
    ] {
        for kid in [&maker.kid, &attacker.kid] {
            let header =
                with(with(attacker.header("at+jwt"), "kid", json!(kid)), name, value.clone()).to_string();
            let token = attacker.raw(&header, &access_claims().to_string());
            assert_eq!(maker.access(&token).unwrap_err(), JwsRefusal::Header.into(), "{name}");
        }
    }
}

/// A05: whatever is in `kid`, it only meets a map.
#[test]
fn a05_key_ids() {
    let maker = Maker::new(Algorithm::EdDsa);
    let good = maker.header("at+jwt");
    for bad in [
        json!("../../dev/null"),
        json!("' OR 1=1"),
        json!("x".repeat(129)),
        json!("a\0b"),
        json!(""),
        json!(1),
        json!(null),
        json!([maker.kid]),
        json!({"kid": maker.kid}),
        json!(format!("{} ", maker.kid)),
        json!(format!("{}\0", maker.kid)),
    ] {
        assert_eq!(
            refusal(&maker, &with(good.clone(), "kid", bad.clone())),
            JwsRefusal::KeyId.into(),
            "{bad}"
        );
    }
    assert_eq!(refusal(&maker, &without(good.clone(), "kid")), JwsRefusal::KeyId.into());
    for unknown in ["x", &maker.kid.to_lowercase(), &maker.kid[1..]] {
        assert_eq!(
            refusal(&maker, &with(good.clone(), "kid", json!(unknown))),
            JwsRefusal::UnknownKey.into(),
            "{unknown}"
        );
    }
    let long = with(good, "kid", json!("x".repeat(10_000)));
    assert_eq!(refusal(&maker, &long), JwsRefusal::TooLong.into());
}

/// A06: the compact serialisation in its one canonical spelling.
#[test]
fn a06_serialisations() {
    for maker in BOTH.map(Maker::new) {
        let token = maker.token("at+jwt", &access_claims());
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!() };
        let json = json!({"protected": header, "payload": claims, "signature": signature}).to_string();
        let general =
            json!({"payload": claims, "signatures": [{"protected": header, "signature": signature}]})
                .to_string();
        let padded = BASE64URL.encode(&BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap());
        // 64 bytes leave four unused bits in the last digit.
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = alphabet.iter().position(|c| *c == *signature.as_bytes().last().unwrap()).unwrap();
        let trailing = format!("{}{}", &signature[..85], char::from(alphabet[last + 1]));
        for bad in [
            json,
            general,
            format!("{header}.{claims}.{padded}"),
            format!("{header}.{claims}.{trailing}"),
            format!(" {token}"),
            format!("{token} "),
            format!("{token}\n"),
            format!("{token}."),
            format!(".{token}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            format!("{header}..{claims}.{signature}"),
            format!("{header}\n.{claims}.{signature}"),
            token.replace('.', ".\t"),
            format!("{header}?.{claims}.{signature}"),
        ] {
            assert_eq!(maker.access(&bad).unwrap_err(), JwsRefusal::Malformed.into(), "{bad}");
        }
        drop(maker.access(&token).unwrap());
    }
}

/// A07: an encrypted token is none of ours, five segments or three.
#[test]
fn a07_encrypted_tokens() {
    let maker = Maker::new(Algorithm::Es256);
    let header = json!({"alg": "ECDH-ES", "enc": "A128GCM", "kid": maker.kid, "typ": "at+jwt"}).to_string();
    let jwe = format!(
        "{}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
        BASE64URL_NOPAD.encode(header.as_bytes())
    );
    assert_eq!(maker.access(&jwe).unwrap_err(), JwsRefusal::Malformed.into());
    let three = with(maker.header("at+jwt"), "enc", json!("A128GCM"));
    assert_eq!(refusal(&maker, &three), JwsRefusal::Header.into());
}

/// A08: `at+jwt` in its two spellings, and no other.
#[test]
fn a08_typ() {
    let maker = Maker::new(Algorithm::EdDsa);
    let good = maker.header("at+jwt");
    drop(maker.access(&maker.token("application/at+jwt", &access_claims())).unwrap());
    for bad in [
        "JWT",
        "jwt",
        "",
        "at+JWT",
        "AT+JWT",
        "at",
        "jwt+at",
        "x/at+jwt",
        "application/",
        "application/application/at+jwt",
        "cs-assertion+jwt",
        "dpop+jwt",
        "at+jwt ",
        "at+jwt;v=1",
    ] {
        assert_eq!(refusal(&maker, &with(good.clone(), "typ", json!(bad))), TokenRefusal::Purpose, "{bad}");
    }
    for bad in [json!(null), json!(["at+jwt"]), json!(1)] {
        assert_eq!(refusal(&maker, &with(good.clone(), "typ", bad)), TokenRefusal::Purpose);
    }
    assert_eq!(refusal(&maker, &without(good, "typ")), TokenRefusal::Purpose);
}

/// A14: critical extensions: we have none, so any is too many. A16: no compression, no password-based keys.
#[test]
fn a14_a16_extensions() {
    let maker = Maker::new(Algorithm::EdDsa);
    let good = maker.header("at+jwt");
    for (name, value) in [
        ("crit", json!([])),
        ("crit", json!(["unknown"])),
        ("crit", json!(["exp"])),
        ("crit", json!(["alg"])),
        ("crit", json!(["b64"])),
        ("crit", json!("b64")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("p2c", json!(2_000_000_000)),
        ("p2s", json!("AAAA")),
    ] {
        assert_eq!(refusal(&maker, &with(good.clone(), name, value)), JwsRefusal::Header.into(), "{name}");
    }
}

/// A15: a name that comes twice in the header.
#[test]
fn a15_duplicates() {
    let maker = Maker::new(Algorithm::Es256);
    let kid = &maker.kid;
    for header in [
        format!(r#"{{"alg":"none","alg":"ES256","kid":"{kid}","typ":"at+jwt"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","kid":"{kid}","typ":"at+jwt"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt","\u0074yp":"at+jwt"}}"#),
    ] {
        let token = maker.raw(&header, &access_claims().to_string());
        assert_eq!(maker.access(&token).unwrap_err(), JwsRefusal::Malformed.into(), "{header}");
    }
}

/// A20: the fully specified name of RFC 9864 is the same algorithm.
#[test]
fn a20_fully_specified_name() {
    let maker = Maker::new(Algorithm::EdDsa);
    let header = with(maker.header("at+jwt"), "alg", json!("Ed25519"));
    drop(maker.access(&maker.raw(&header.to_string(), &access_claims().to_string())).unwrap());
    let es256 = Maker::new(Algorithm::Es256);
    let header = with(es256.header("at+jwt"), "alg", json!("Ed25519"));
    assert_eq!(refusal(&es256, &header), JwsRefusal::Algorithm.into());
}

/// Every byte of a token matters: none can be changed, left out or doubled.
#[test]
fn a06_no_byte_can_be_changed() {
    for maker in BOTH.map(Maker::new) {
        let token = maker.token("at+jwt", &access_claims());
        for at in 0..token.len() {
            for other in ["", "A", "B", ".", "=", " "] {
                let mut changed = token.clone();
                changed.replace_range(at..=at, other);
                assert!(changed == token || maker.access(&changed).is_err(), "{at} {other:?}");
            }
        }
    }
}
