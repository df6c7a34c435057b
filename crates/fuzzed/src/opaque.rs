//! Refresh tokens, API keys, pre-session cookies.

use std::sync::LazyLock;

use countersign_core::domain::base62;
use countersign_core::domain::csrf::PreSession;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::recognise::{self, TokenShape};
use countersign_core::domain::token::api_key::{self, ApiKeyToken, ApiKeyTokenError};
use countersign_core::domain::token::checksum;
use countersign_core::domain::token::refresh::{RefreshToken, RefreshTokenError};

static PRODUCTION: LazyLock<Option<Environment>> = LazyLock::new(|| Environment::parse("production").ok());

/// Opaque tokens: what is accepted is canonical to the digit, is ours by every reader, and never survives redaction (G01, I01). The
/// text is read as it is, and with the checksum that it ought to have: chance does not find one.
pub fn opaque(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    one(&text);
    one(&format!("{text}{}", checksum::of(&text)));
    if let Some(pre) = PreSession::parse(&text) {
        assert_eq!(pre.to_cookie().expose(), &*text, "a pre-session with two spellings");
    }
}

fn one(text: &str) {
    let Some(production) = &*PRODUCTION else { unreachable!("production is an environment") };
    let refresh = RefreshToken::parse(text, production);
    let key = ApiKeyToken::parse(text, production);
    assert!(refresh.is_err() || key.is_err(), "two kinds at once");
    if refresh.is_ok() {
        canonical::<53>(text, "csr_production_", 72);
        assert_eq!(recognise::shape(text), Some(TokenShape::Refresh));
        redacted(text);
    }
    if let Ok(key) = &key {
        canonical::<36>(text, "csk_production_", 49);
        assert_eq!(recognise::shape(text), Some(TokenShape::ApiKey));
        assert_eq!(api_key::environment_of(text).as_ref(), Some(production));
        assert_eq!(api_key::find(&format!("key: <{text}>")), Some(key.id()));
        redacted(text);
    }
    // Another environment is only ever named by a prefix that names one.
    let foreign = matches!(refresh, Err(RefreshTokenError::WrongEnvironment))
        || matches!(key, Err(ApiKeyTokenError::WrongEnvironment));
    if foreign {
        let label = text.split('_').nth(1).unwrap_or_default();
        assert!(Environment::parse(label).is_ok_and(|named| named != *production));
    }
}

fn canonical<const N: usize>(text: &str, prefix: &str, digits: usize) {
    let body = checksum::strip(text).and_then(|body| body.strip_prefix(prefix)).unwrap_or_default();
    assert_eq!(body.len(), digits);
    let bytes = base62::decode::<N>(body);
    assert_eq!(
        bytes.map(|b| base62::encode(&b, digits)).as_deref(),
        Some(body),
        "a token with two spellings"
    );
}

/// No piece of a token is left that says something, whatever stands before it. A JWT that ends with the token's digits goes likewise.
fn redacted(text: &str) {
    let digits = text.get(text.len().saturating_sub(55)..).unwrap_or_default();
    let jwt = format!("eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzaWQiOiJ{digits}.{digits}");
    for token in [text, &*jwt] {
        for around in [
            token.to_owned(),
            format!("GET /x?k={token}&y=1"),
            format!("a \"{token}\" b"),
            format!("eyJ.a.{token}"),
            format!("csr_a_{token}"),
        ] {
            gone(token, &recognise::redact(&around));
            gone(token, &recognise::redact_and_cut(&around, 512));
        }
    }
}

/// Bytes of a token that say something about it.
const PIECE: usize = 24;

fn gone(token: &str, log: &str) {
    for at in 0..=token.len().saturating_sub(PIECE) {
        let piece = token.get(at..at + PIECE).unwrap_or(token);
        assert!(!log.contains(piece), "{piece} is in the log: {log}");
    }
}
