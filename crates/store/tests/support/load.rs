//! A program under load, for the durability tests: opens, rotates and revokes sessions, and writes one line for each
//! acknowledgement, so that whoever kills or traces it knows what was promised.
//!
//! `countersign-store-load DATABASE full|off RUN CALLERS VERBS`: `RUN` (≤ 9999) keeps the ids of several runs apart,
//! `VERBS` is how many verbs each of the `CALLERS` carries out; 0 means until killed. A line is
//! `KIND SID GENERATION MARK`; the mark is in what the verb writes, in plain bytes.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use countersign_core::domain::device::Device;
use countersign_core::domain::id::{Epoch, Generation, KeyId, PublicId, Sid, UserId};
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{EndReason, Session};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, User};
use countersign_core::port::{NewUser, Opening, Rotated, Store};
use countersign_store::{OpenMode, SqliteStore, Tuning};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, sync, run, callers, verbs] = arguments.as_slice() else {
        return Err("usage: DATABASE full|off RUN CALLERS VERBS".into());
    };
    let tuning = match sync.as_str() {
        "full" => Tuning::default(),
        "off" => Tuning::default().dangerous().never_sync(),
        _ => return Err("full or off".into()),
    };
    let store = Arc::new(SqliteStore::open_tuned(Path::new(database), OpenMode::Create, tuning)?);
    let (run, callers, verbs) = (run.parse()?, callers.parse()?, verbs.parse()?);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?
        .block_on(load(store, run, callers, verbs))
}

async fn load(store: Arc<SqliteStore>, run: u32, callers: u32, verbs: u32) -> Result<(), Failure> {
    store.create_user(NewUser { user: user()? }).await?;
    let marks = Arc::new(AtomicU32::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let caller = Caller { store: Arc::clone(&store), marks: Arc::clone(&marks), run, caller };
        tasks.spawn(async move { caller.work(verbs).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

struct Caller {
    store: Arc<SqliteStore>,
    marks: Arc<AtomicU32>,
    run: u32,
    caller: u32,
}

impl Caller {
    async fn work(&self, verbs: u32) -> Result<(), Failure> {
        let mut done = 0;
        for number in 0_u32.. {
            let mut session = self.session(number)?;
            let opening = self.store.open_session(&session, None, None).await?;
            let Opening::Opened { .. } = opening else { return Err("not opened".into()) };
            acknowledge('O', &session, mark_of(&session.device.user_agent)?)?;
            done += 1;
            for _ in 0..number % 5 {
                let mark = self.mark();
                let mut next = session.rotation.clone();
                next.from = Some(next.current);
                next.current = next.current.next();
                let device = Device::new(None, std::str::from_utf8(&mark)?);
                let rotated = self.store.rotate_if_current(
                    session.sid,
                    &session.rotation,
                    &next,
                    Timestamp::default(),
                    &device,
                );
                let Rotated::Rotated(held) = rotated.await? else { return Err("not rotated".into()) };
                session = held.session;
                acknowledge('R', &session, mark)?;
                done += 1;
            }
            if number % 2 == 0 {
                let mark = self.mark();
                let at = Timestamp::from_millis(i64::from_be_bytes(mark));
                self.store.revoke_session(session.sid, EndReason::Logout, at).await?.ok_or("not revoked")?;
                acknowledge('X', &session, mark)?;
                done += 1;
            }
            if verbs > 0 && done >= verbs {
                break;
            }
        }
        Ok(())
    }

    /// Eight bytes of text that are used once; as a number too.
    fn mark(&self) -> [u8; 8] {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        let mut mark = *b"K0000000";
        for (place, digit) in mark.iter_mut().skip(1).rev().zip(format!("{number:07}").bytes().rev()) {
            *place = digit;
        }
        mark
    }

    fn session(&self, number: u32) -> Result<Session, Failure> {
        let id = format!("{:04}{:04}{number:08}", self.run, self.caller);
        let sid: [u8; 16] = id.as_bytes().try_into()?;
        Ok(Session {
            sid: Sid::from_bytes(sid),
            public_id: PublicId::parse(&id).ok_or("id")?,
            user: UserId::parse("load").ok_or("id")?,
            epoch: Epoch(1),
            master_key: KeyId(0),
            salt: [0; 16],
            created_at: Timestamp::from_secs(1),
            auth_time: Timestamp::from_secs(1),
            seen_at: Timestamp::from_secs(1),
            expires_at: Timestamp::from_secs(2),
            amr: vec!["pwd".into()],
            scope: ScopeSet::default(),
            device: Device::new(None, std::str::from_utf8(&self.mark())?),
            client: None,
            rotation: RotationRecord::opened(Timestamp::from_secs(1)),
            ended: None,
        })
    }
}

fn user() -> Result<User, Failure> {
    Ok(User {
        id: UserId::parse("load").ok_or("id")?,
        email: Email::parse("load@example.com")?,
        email_verified: true,
        scope: ScopeSet::default(),
        epoch: Epoch(1),
        password: None,
        created_at: Timestamp::from_secs(1),
        disabled_at: None,
    })
}

fn mark_of(text: &str) -> Result<[u8; 8], Failure> {
    Ok(text.as_bytes().try_into()?)
}

/// One line in one write, so that a trace shows it as one call.
fn acknowledge(kind: char, session: &Session, mark: [u8; 8]) -> io::Result<()> {
    let Generation(generation) = session.rotation.current;
    let line = format!("{kind} {} {generation} {}\n", session.public_id, String::from_utf8_lossy(&mark));
    let mut output = io::stdout().lock();
    output.write_all(line.as_bytes())?;
    output.flush()
}
