//! Verification of one access token, beside the bare signature check of the library underneath.
//!
//! Everything runs in this process, on one thread, over the same tokens; contenders take turns every few tokens and the
//! median of all turns counts, so that a busy machine disturbs all alike.

mod garbage;

use std::future::Future;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::Duration;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use countersign_adapters::SystemClock;
use countersign_core::domain::id::Epoch;
use countersign_core::domain::token::access::{self, AccessProfile};
use countersign_core::domain::token::jws::KeySet;
use countersign_core::domain::token::standing::Standing;
use countersign_core::domain::token::trust::Trusted;
use countersign_core::domain::token::{compact::Compact, jwks};
use countersign_core::port::Clock as _;
use countersign_core::service::Context;
use data_encoding::BASE64URL_NOPAD;
use tokio::time::Instant;

use crate::Failure;
use crate::arguments::Arguments;
use crate::report;
use crate::seed::Seeder;

/// Tokens a turn.
const TURN: usize = 25;

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Case {
    Bare,
    Cold,
    FirstSight,
    Seen,
}

const CASES: [(Case, &str); 4] = [
    (Case::Bare, "aws-lc-rs Ed25519, key parsed, signature decoded: nothing else"),
    (Case::Cold, "`access::verify`: everything that the token and a known standing can prove"),
    (
        Case::FirstSight,
        "`Engine::verify_access`, never seen: the same, its hash, and the session's row in SQLite",
    ),
    (Case::Seen, "`Engine::verify_access`, seen before: hash, expiry, revocation, epoch, abandonment"),
];

/// A token, and its parts as the bare verification gets them.
struct Token {
    text: String,
    signed: String,
    signature: Vec<u8>,
}

struct Field {
    engine: Seeder,
    key: ParsedPublicKey,
    keys: KeySet,
    profile: AccessProfile,
    tokens: Vec<Token>,
    /// Two that are not timed.
    spare: [Token; 2],
}

/// Measures and reports.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    report::progress("opening sessions")?;
    let seeder = Seeder::on_database(directory.path()).await?;
    let sessions = seeder.sessions(arguments.count(10_000, 500)).await?;
    drop(seeder);
    // Another engine on the same store: it has seen none of the tokens.
    let field =
        Field::new(Seeder::on_database(directory.path()).await?, sessions.into_iter().map(|s| s.access))?;
    report::progress("verifying")?;
    let mut times: [Vec<f64>; 4] = Default::default();
    for turn in field.tokens.chunks(TURN) {
        for ((case, _), times) in CASES.iter().zip(&mut times) {
            let start = Instant::now();
            for token in turn {
                field.verify(*case, token).await?;
            }
            times.push(start.elapsed().as_secs_f64() * 1e6 / report::real(turn.len() as u64));
        }
    }
    let medians = times.map(median);
    let mut out = io::stdout();
    writeln!(
        out,
        "\n### Verify one access token ({} bytes, EdDSA)\n",
        field.tokens.first().map_or(0, |t| t.text.len())
    )?;
    writeln!(out, "| contender | µs | to bare | allocations | bytes allocated |\n|---|---|---|---|---|")?;
    let [bare, cold, _, seen] = medians;
    for ((case, name), median) in CASES.iter().zip(medians) {
        let (count, bytes) = field.allocations(*case).await?;
        writeln!(out, "| {name} | {median:.2} | {:.3} | {count} | {bytes} |", median / bare)?;
    }
    writeln!(out)?;
    let ratio = cold / bare;
    report::verdict("cold, to the bare verification", &format!("{ratio:.3}"), "≤ 1.15", ratio <= 1.15)?;
    let ratio = seen / cold;
    report::verdict(
        "seen before, to cold",
        &format!("{ratio:.4} = 1/{:.0}", 1.0 / ratio),
        "≤ 1/20",
        ratio <= 0.05,
    )?;
    garbage::run(&field.engine.engine(), &field.profile, &field.trusted()).await
}

fn median(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns.get(turns.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Field {
    fn new(engine: Seeder, tokens: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let jwks = engine.engine().jwks();
        let keys = jwks::parse(jwks.as_bytes())?;
        let document: serde_json::Value = serde_json::from_str(&jwks)?;
        let x = document.pointer("/keys/0/x").and_then(serde_json::Value::as_str).ok_or("no Ed25519 key")?;
        let key = ParsedPublicKey::new(&ED25519, BASE64URL_NOPAD.decode(x.as_bytes())?)?;
        let profile = engine.engine().policy().access.clone();
        let split = |text: String| -> Result<Token, Failure> {
            let compact = Compact::decode(&text)?;
            let (signed, signature) = (compact.signed().to_owned(), compact.signature().to_vec());
            Ok(Token { text, signed, signature })
        };
        let mut tokens = tokens.map(split).collect::<Result<Vec<_>, _>>()?;
        let spare = [tokens.pop().ok_or("no tokens")?, tokens.pop().ok_or("no tokens")?];
        Ok(Self { engine, key, keys, profile, tokens, spare })
    }

    fn trusted(&self) -> Trusted<'_> {
        Trusted::only(&self.profile.issuer, &self.keys)
    }

    async fn verify(&self, case: Case, token: &Token) -> Result<(), Failure> {
        match case {
            Case::Bare => self.key.verify_sig(black_box(token.signed.as_bytes()), &token.signature)?,
            Case::Cold => {
                let now = SystemClock.now();
                black_box(access::verify(
                    black_box(&token.text),
                    &self.profile,
                    &self.trusted(),
                    now,
                    |_| Standing::Live { epoch: Epoch(0) },
                )?);
            }
            Case::FirstSight | Case::Seen => {
                let context = Context::default();
                black_box(self.engine.engine().verify_access(black_box(&token.text), &context).await?);
            }
        }
        Ok(())
    }

    /// What one verification asks of Rust's allocator; the library's own, in C, is not seen.
    async fn allocations(&self, case: Case) -> Result<(u64, u64), Failure> {
        let [warm_up, counted] = &self.spare;
        self.verify(case, warm_up).await?;
        // The spare token is seen for the first time when that is what is counted: cases come in their order.
        count(self.verify(case, counted))
    }
}

/// Allocations and bytes while a future that never waits runs to its end.
fn count(future: impl Future<Output = Result<(), Failure>>) -> Result<(u64, u64), Failure> {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut done = std::task::Poll::Pending;
    let info = allocation_counter::measure(|| done = future.as_mut().poll(&mut context));
    match done {
        std::task::Poll::Ready(outcome) => outcome.map(|()| (info.count_total, info.bytes_total)),
        std::task::Poll::Pending => {
            Err("the verification waits, so its allocations cannot be told from others'".into())
        }
    }
}

/// How long something takes, at best of a few: a hiccup of the machine is not its doing.
fn best<T>(mut what: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        black_box(what());
        best = best.min(start.elapsed());
    }
    best
}
