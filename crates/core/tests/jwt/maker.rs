//! Makes tokens byte by byte, good and bad ones, with a key of its own.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use countersign_core::domain::environment::Environment;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access::{self, AccessProfile};
use countersign_core::domain::token::assertion::{self, AssertionProfile, VerifiedAssertion};
use countersign_core::domain::token::jwk::VerifyingKey;
use countersign_core::domain::token::jws::KeySet;
use countersign_core::domain::token::standing::{Standing, Statement};
use countersign_core::domain::token::trust::Trusted;
use countersign_core::domain::token::{TokenRefusal, jws};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// The issuer that the tests trust.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// The present of the tests.
pub(crate) const NOW: i64 = 1_800_000_000;

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A key pair, and what a verifier knows of it.
pub(crate) struct Maker {
    pair: Pair,
    pub(crate) kid: String,
    pub(crate) keys: KeySet,
}

impl Maker {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let (pair, public) = match algorithm {
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), public)
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                let public = pair.public_key().as_ref().to_vec();
                (Pair::P256(pair), public)
            }
        };
        let key = VerifyingKey::new(algorithm, &public).unwrap();
        let kid = key.kid().to_owned();
        Self { pair, keys: KeySet::from([(kid.as_str().into(), key)]), kid }
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
        }
    }

    /// Signs any bytes.
    pub(crate) fn signature(&self, message: &str) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            #[expect(clippy::disallowed_methods, reason = "a signature of a test, by no engine and no port")]
            Pair::P256(pair) => {
                pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
            }
        }
    }

    /// A token of this header and these claims, byte for byte.
    pub(crate) fn raw(&self, header: &str, claims: &str) -> String {
        let input = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header.as_bytes()),
            BASE64URL_NOPAD.encode(claims.as_bytes())
        );
        let signature = self.signature(&input);
        jws::assemble(input, &signature)
    }

    /// The header that belongs to a kind.
    pub(crate) fn header(&self, typ: &str) -> Value {
        json!({"alg": self.alg(), "kid": self.kid, "typ": typ})
    }

    /// A token of a kind.
    pub(crate) fn token(&self, typ: &str, claims: &Value) -> String {
        self.raw(&self.header(typ).to_string(), &claims.to_string())
    }

    /// Judges as an access token, up to what a session's standing would say.
    pub(crate) fn access(&self, token: &str) -> Result<Statement, TokenRefusal> {
        self.access_at(token, NOW * 1000, Duration::ZERO)
    }

    /// At another time, with a leeway.
    pub(crate) fn access_at(
        &self,
        token: &str,
        millis: i64,
        leeway: Duration,
    ) -> Result<Statement, TokenRefusal> {
        let profile = AccessProfile { leeway, ..access_profile() };
        access::check(token, &profile, &self.trusted(), Timestamp::from_millis(millis))
    }

    /// Judges as an assertion.
    pub(crate) fn assertion(&self, token: &str) -> Result<VerifiedAssertion, TokenRefusal> {
        assertion::verify(token, &assertion_profile(), &self.trusted(), Timestamp::from_secs(NOW))
    }

    pub(crate) fn trusted(&self) -> Trusted<'_> {
        Trusted::only(ISSUER, &self.keys)
    }
}

/// A session that lives.
pub(crate) fn alive() -> Standing {
    Standing::Live { epoch: countersign_core::domain::id::Epoch(0) }
}

fn environment() -> Environment {
    Environment::parse("production").unwrap()
}

pub(crate) fn access_profile() -> AccessProfile {
    AccessProfile {
        issuer: ISSUER.into(),
        audience: vec!["app".into()],
        environment: environment(),
        leeway: Duration::ZERO,
    }
}

/// The audience is the access token's too: kinds must differ without its help.
pub(crate) fn assertion_profile() -> AssertionProfile {
    AssertionProfile { audience: vec!["app".into()], environment: environment(), leeway: Duration::ZERO }
}

/// The claims of a good access token.
pub(crate) fn access_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user-1", "aud": "app", "client_id": access::COOKIE_CLIENT,
        "exp": NOW + 600, "iat": NOW - 300, "jti": "token-1", "sid": "AAECAwQFBgcICQoLDA0ODw",
        "gen": 3, "epoch": 2, "env": "production", "purpose": access::PURPOSE, "scope": "read write",
        "auth_time": NOW - 3600, "amr": ["pwd"],
    })
}

/// The claims of a good assertion.
pub(crate) fn assertion_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user-1", "aud": ["app", "api"], "exp": NOW + 50, "iat": NOW - 10, "jti": "token-2",
        "session": "session-1", "env": "production", "purpose": assertion::PURPOSE, "scope": "read",
        "auth_time": NOW - 3600, "amr": ["pwd"], "email": "ada@example.com", "email_verified": true,
    })
}

/// With one member changed; `null` stays `null`.
pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims.as_object_mut().unwrap().insert(name.into(), value);
    claims
}

/// With one member gone.
pub(crate) fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}
