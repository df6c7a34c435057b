//! Secrets from tutorials: whoever signs with one lets everybody sign.

use aws_lc_rs::hmac;

/// What manuals, templates and examples use, and what is left in place.
const KNOWN: [&str; 52] = [
    "",
    "secret",
    "Secret",
    "SECRET",
    "secretkey",
    "secret-key",
    "secret_key",
    "secretKey",
    "SECRET_KEY",
    "mysecret",
    "my-secret",
    "my_secret",
    "mySecret",
    "mysecretkey",
    "my-secret-key",
    "my_secret_key",
    "supersecret",
    "super-secret",
    "super_secret",
    "super-secret-key",
    "supersecretkey",
    "topsecret",
    "jwt",
    "jwtsecret",
    "jwt-secret",
    "jwt_secret",
    "JWT_SECRET",
    "jwt-secret-key",
    "jwt_secret_key",
    "token",
    "key",
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "password",
    "password123",
    "admin",
    "test",
    "test-secret",
    "dev",
    "dev-secret",
    "development",
    "default",
    "keyboard cat",
    "shhhhh",
    "shhhhhhared-secret",
    "123456",
    "your-256-bit-secret",
    "your-secret-key",
    "a-string-secret-at-least-256-bits-long",
    "qwertyuiopasdfghjklzxcvbnm123456",
];

/// Whether an HMAC was made with a secret that everybody knows. Which one is not told: it may be one of a person's.
pub(super) fn is_signed_with_a_known_secret(algorithm: &str, signed: &str, signature: &[u8]) -> bool {
    let algorithm = match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return false,
    };
    KNOWN.iter().any(|secret| {
        hmac::verify(&hmac::Key::new(algorithm, secret.as_bytes()), signed.as_bytes(), signature).is_ok()
    })
}
