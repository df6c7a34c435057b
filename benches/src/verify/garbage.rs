//! A megabyte of garbage in place of a token, in the shapes that would cost a careless parser most.

use std::io::{self, Write as _};
use std::time::Duration;

use countersign_core::domain::id::Epoch;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access::{self, AccessProfile};
use countersign_core::domain::token::refresh::RefreshToken;
use countersign_core::domain::token::standing::Standing;
use countersign_core::domain::token::trust::Trusted;
use countersign_core::domain::token::{jwks, jws::MAX_TOKEN, unverified};
use countersign_core::port::Outside;
use countersign_core::service::{Context, Engine};
use data_encoding::BASE64URL_NOPAD;

use super::best;
use crate::{Failure, report};

const MEGABYTE: usize = 1 << 20;

/// Feeds everything that reads tokens; the slowest counts.
pub(super) async fn run<O: Outside>(
    engine: &Engine<O>,
    profile: &AccessProfile,
    trusted: &Trusted<'_>,
) -> Result<(), Failure> {
    let header = BASE64URL_NOPAD.encode(br#"{"alg":"EdDSA","kid":"x","typ":"at+jwt"}"#);
    let claims = |text: &str| {
        let mut token = format!("{header}.{}", BASE64URL_NOPAD.encode(text.as_bytes()));
        token.truncate(MAX_TOKEN - 4);
        token + ".AAA"
    };
    let names: String = (0..700).map(|n| format!("\"{n:x}\":0,")).collect();
    let shapes = [
        ("letters", "a".repeat(MEGABYTE)),
        ("dots", ".".repeat(MEGABYTE)),
        ("a token that does not end", format!("{header}.{}", "A".repeat(MEGABYTE))),
        ("a refresh token that does not end", format!("csr_production_{}", "0".repeat(MEGABYTE))),
        ("as long as may be, letters", "a".repeat(MAX_TOKEN)),
        ("as long as may be, nested", claims(&"[".repeat(MAX_TOKEN))),
        ("as long as may be, nested objects", claims(&"{\"a\":".repeat(MAX_TOKEN))),
        ("as long as may be, many names", claims(&format!("{{{names}\"x\":0}}"))),
    ];
    let mut slowest = Duration::ZERO;
    let mut out = io::stdout();
    writeln!(out, "\n| garbage | bytes | µs, all readers |\n|---|---|---|")?;
    for (name, text) in &shapes {
        let readers = best(|| {
            let now = Timestamp::from_secs(0);
            let access =
                access::verify(text, profile, trusted, now, |_| Standing::Live { epoch: Epoch(0) }).is_err();
            let refresh = RefreshToken::parse(text, &profile.environment).is_err();
            (
                access,
                refresh,
                unverified::read(text).is_none(),
                engine.genuine_access(text).is_none(),
                jwks::parse(text.as_bytes()).is_err(),
            )
        });
        let start = tokio::time::Instant::now();
        let refused = engine.verify_access(text, &Context::default()).await.is_err();
        let took = readers + start.elapsed();
        if !refused {
            return Err(format!("{name} was accepted").into());
        }
        slowest = slowest.max(took);
        writeln!(out, "| {name} | {} | {:.1} |", text.len(), took.as_secs_f64() * 1e6)?;
    }
    writeln!(out)?;
    let figure = format!("{:.3} ms", slowest.as_secs_f64() * 1e3);
    report::verdict("garbage refused, the slowest", &figure, "< 1 ms", slowest < Duration::from_millis(1))?;
    Ok(())
}
