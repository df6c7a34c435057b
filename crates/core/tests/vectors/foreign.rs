//! Algorithms that we do not have, so that vectors of theirs test our parser with a real verification behind it: what it
//! lets through must be exactly what they call valid.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P521_SHA512_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use countersign_core::domain::token::compact::Compact;
use countersign_core::domain::token::jws::Header;
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

fn bytes(jwk: &Value, name: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(jwk[name].as_str().unwrap().as_bytes()).unwrap()
}

fn rsa(alg: &str) -> Option<&'static RsaParameters> {
    Some(match alg {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// Whether a JWS is good under a JWK of a foreign algorithm. `None` if the key is not for signatures, or of an algorithm
/// that is ours.
pub(crate) fn accepts(jwk: &Value, token: &str) -> Option<bool> {
    let text = |name: &str| jwk[name].as_str();
    if text("use").is_some_and(|u| u != "sig")
        || jwk["key_ops"].as_array().is_some_and(|ops| !ops.contains(&"verify".into()))
    {
        return None;
    }
    // The set of RFC 7520 calls the algorithm of P-521 by the curve's number in keys.
    let alg = match text("alg")? {
        "ES521" => "ES512",
        other => other,
    };
    let read = || {
        let compact = Compact::decode(token).ok()?;
        let header = Header::read(compact.header()).ok()?;
        let ours =
            header.alg() == alg && header.kid().is_none_or(|kid| text("kid").is_none_or(|own| own == kid));
        ours.then_some(())?;
        Some((compact.signed().as_bytes().to_vec(), compact.signature().to_vec()))
    };
    let verified = |verify: &dyn Fn(&[u8], &[u8]) -> bool| {
        read().is_some_and(|(signed, signature)| verify(&signed, &signature))
    };
    match (text("kty")?, alg) {
        ("oct", "HS256") => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(jwk, "k"));
            Some(verified(&|signed, tag| hmac::verify(&key, signed, tag).is_ok()))
        }
        ("RSA", _) => {
            let (key, parameters) =
                (RsaPublicKeyComponents { n: bytes(jwk, "n"), e: bytes(jwk, "e") }, rsa(alg)?);
            Some(verified(&|signed, signature| key.verify(parameters, signed, signature).is_ok()))
        }
        ("EC", "ES512") => {
            let point = [&[4][..], &bytes(jwk, "x"), &bytes(jwk, "y")].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point);
            Some(verified(&|signed, signature| key.verify(signed, signature).is_ok()))
        }
        _ => None,
    }
}
