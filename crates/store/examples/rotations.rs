//! Prints how many durable rotations a second the store does, for comparison with `baselines`:
//! `cargo run --release -p countersign-store --example rotations [DIRECTORY] [SESSIONS]`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::device::Device;
use countersign_core::domain::id::{Epoch, KeyId, PublicId, Sid, UserId};
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::Session;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, User};
use countersign_core::port::{NewUser, Rotated, Store as _};
use countersign_store::{OpenMode, SqliteStore};
use tokio::time::Instant;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let sessions: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let path = directory.join(format!("rotations-{}.db", std::process::id()));
    let store = Arc::new(SqliteStore::open(&path, OpenMode::Create)?);
    let user = User {
        id: UserId::parse("bench").ok_or("id")?,
        email: Email::parse("bench@example.com")?,
        email_verified: true,
        scope: ScopeSet::default(),
        epoch: Epoch(1),
        password: None,
        created_at: Timestamp::from_secs(1),
        disabled_at: None,
    };
    store.create_user(NewUser { user }).await?;
    let begun = Instant::now();
    in_parallel(256, |caller| open_all(Arc::clone(&store), caller, sessions)).await?;
    let mut output = std::io::stdout();
    writeln!(output, "opened {sessions} sessions: {:.0}/s", per_second(sessions, begun.elapsed()))?;
    for callers in [1, 64, 256] {
        let latencies =
            in_parallel(callers, |caller| rotate(Arc::clone(&store), caller, callers, sessions)).await?;
        let mut latencies: Vec<Duration> = latencies.into_iter().flatten().collect();
        latencies.sort_unstable();
        let at = |share: usize| latencies.get(latencies.len() * share / 1000).copied().unwrap_or_default();
        writeln!(
            output,
            "{callers:>4} callers: {:>6.0} rotations/s, p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}, log {} MB",
            per_second(latencies.len() as u64, SPAN),
            at(500),
            at(990),
            at(999),
            std::fs::metadata(format!("{}-wal", path.display()))?.len() >> 20,
        )?;
    }
    drop(store);
    for suffix in ["", ".lock"] {
        std::fs::remove_file(format!("{}{suffix}", path.display()))?;
    }
    Ok(())
}

const SPAN: Duration = Duration::from_secs(5);

fn per_second(count: u64, span: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let count = count as f64;
    count / span.as_secs_f64()
}

async fn in_parallel<T, F>(callers: u64, work: impl Fn(u64) -> F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        tasks.spawn(work(caller));
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result??);
    }
    Ok(results)
}

/// Scattered over the key space, as random ids are.
fn sid(n: u64) -> Sid {
    let high = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Sid::from_bytes((u128::from(high) << 64 | u128::from(n)).to_be_bytes())
}

async fn open_all(store: Arc<SqliteStore>, caller: u64, sessions: u64) -> Result<(), Failure> {
    for n in (caller..sessions).step_by(256) {
        let now = Timestamp::from_secs(1);
        let session = Session {
            sid: sid(n),
            public_id: PublicId::parse(&sid(n).to_claim()).ok_or("id")?,
            user: UserId::parse("bench").ok_or("id")?,
            epoch: Epoch(1),
            master_key: KeyId(0),
            salt: [0; 16],
            created_at: now,
            auth_time: now,
            seen_at: now,
            expires_at: Timestamp::from_secs(2),
            amr: vec!["pwd".into()],
            scope: ScopeSet::default(),
            device: Device::new("192.0.2.1".parse().ok(), &"Mozilla/5.0 ".repeat(8)),
            client: None,
            rotation: RotationRecord::opened(now),
            ended: None,
        };
        store.open_session(&session, None, None).await?;
    }
    Ok(())
}

async fn rotate(
    store: Arc<SqliteStore>,
    caller: u64,
    callers: u64,
    sessions: u64,
) -> Result<Vec<Duration>, Failure> {
    let begun = Instant::now();
    let mut latencies = Vec::new();
    let mut n = caller;
    while begun.elapsed() < SPAN {
        // Callers stay out of each other's way: each has the sessions of its own remainder.
        n = n.wrapping_add(callers * 7919);
        let sid = sid((n % (sessions / callers * callers)) / callers * callers + caller);
        let held = store.session(sid).await?.ok_or("gone")?;
        let mut next = held.session.rotation.clone();
        next.from = Some(next.current);
        next.current = next.current.next();
        let asked = Instant::now();
        let rotated = store
            .rotate_if_current(
                sid,
                &held.session.rotation,
                &next,
                Timestamp::from_secs(3),
                &held.session.device,
            )
            .await?;
        latencies.push(asked.elapsed());
        let Rotated::Rotated(_) = rotated else { return Err("moved".into()) };
    }
    Ok(latencies)
}
