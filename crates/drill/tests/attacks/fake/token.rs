//! The tokens of the bearer styles, and how carelessly they may be verified.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{App, Style};

pub(super) const SECRET: &[u8] = b"a long secret of the fake application, in no list";

fn head_and_claims(alg: &str, claims: &Value) -> String {
    let head = json!({ "alg": alg, "typ": "at+jwt", "kid": "1" });
    format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(head.to_string().as_bytes()),
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
    )
}

pub(super) fn signed(key: &[u8], claims: &Value) -> String {
    let signed = head_and_claims("HS256", claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap()
}

impl App {
    fn key(&self) -> &'static [u8] {
        if self.wrong("jwt-weak-secret") { b"secret" } else { SECRET }
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        if self.style != Style::KeyPair {
            return signed(self.key(), claims);
        }
        let signed = head_and_claims("EdDSA", claims);
        let signature = pair().sign(signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    /// The public keys (RFC 8037 §2), where there are any.
    pub(super) fn jwks(&self) -> Option<Value> {
        let x = BASE64URL_NOPAD.encode(pair().public_key().as_ref());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "1", "alg": "EdDSA", "x": x });
        (self.style == Style::KeyPair).then(|| json!({ "keys": [key] }))
    }

    /// Whether a signature is good by what the header says, as far as that may say anything.
    fn holds(&self, alg: &str, signed: &str, tag: &[u8]) -> bool {
        let by = |key: &[u8]| {
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes(), tag).is_ok()
        };
        if self.style != Style::KeyPair {
            return by(self.key());
        }
        let public = pair();
        let public = public.public_key().as_ref();
        match alg {
            "EdDSA" => UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), tag).is_ok(),
            // The library was handed "the key", whatever it is for.
            "HS256" => self.wrong("jwt-key-confusion") && by(public),
            _ => false,
        }
    }
}

pub(super) fn now() -> i64 {
    i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
        .unwrap()
}

/// The claims of a token, if its signature holds, or is not looked at.
pub(super) fn claims(token: &str, app: &App) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, payload) = signed.split_once('.')?;
    let head: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(head.as_bytes()).ok()?).ok()?;
    let claims = serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()?;
    let tag = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
    let alg = head["alg"].as_str().unwrap_or_default();
    let by =
        |key: &[u8]| hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes(), &tag).is_ok();
    let good = app.holds(alg, signed, &tag);
    let none = app.wrong("jwt-alg-none") && alg.eq_ignore_ascii_case("none");
    let file =
        app.wrong("jwt-kid") && head["kid"].as_str().is_some_and(|kid| kid.ends_with("/dev/null")) && by(b"");
    (good || none || file || app.wrong("jwt-signature")).then_some(claims)
}
