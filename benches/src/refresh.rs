//! Refresh over HTTP: each request presents the refresh token of another session, so that each is a durable rotation.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::Failure;
use crate::arguments::Arguments;
use crate::contender::{Contender, Countersign, Express, ORIGIN_HOST};
use crate::load::{self, Requests};
use crate::order::Order;
use crate::report::{self, Figures};
use crate::seed::{CLIENT_IP, Seeder, USER_AGENT};

/// Requests under way at a time.
const CALLERS: usize = 64;
/// Times as many as Express.
const WANTED: f64 = 5.0;

/// A server with sessions that were never refreshed.
struct Side {
    name: &'static str,
    server: Contender,
    requests: Requests,
    /// Refreshes before the first run: connections, prepared statements, a just-in-time compiler.
    warm_up: usize,
    /// Refreshes of each run.
    each: usize,
}

/// Measures and reports.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let rounds = arguments.rounds;
    report::progress("opening sessions")?;
    let express = Express::install(directory.path())?;
    let (warm_up, each) = (arguments.count(2000, 200), arguments.count(6000, 300));
    let seeded = express.seed(warm_up + each * rounds)?;
    let requests = seeded.iter().map(|session| request(&session.cookies, &session.csrf)).collect();
    let theirs = Side {
        name: "Express recipe, `synchronous=FULL`",
        server: express.start().await?,
        requests: Arc::new(requests),
        warm_up,
        each,
    };

    let (warm_up, each) = (arguments.count(5000, 200), arguments.count(40_000, 300));
    let seeder = Seeder::on_database(directory.path()).await?;
    let sessions = seeder.sessions(warm_up + each * rounds).await?;
    drop(seeder);
    let requests = sessions.iter().map(|session| request(&session.cookies(), &session.csrf)).collect();
    // No request of this run reaches an application.
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let server = Countersign::configure(&arguments.server, directory.path(), nowhere)?;
    let ours = Side {
        name: "Countersign",
        server: server.start().await?.0,
        requests: Arc::new(requests),
        warm_up,
        each,
    };

    let (mut their_runs, mut our_runs) = (Vec::new(), Vec::new());
    for side in [&theirs, &ours] {
        load::run(side.server.address, CALLERS, &side.requests, Order::once(0, side.warm_up)).await?;
    }
    for round in 0..rounds {
        their_runs.push(measure(&theirs, round).await?);
        our_runs.push(measure(&ours, round).await?);
    }
    let names = (theirs.name, ours.name);
    let rotated = (theirs.warm_up + theirs.each * rounds, ours.warm_up + ours.each * rounds);
    theirs.server.stop();
    ours.server.stop();
    // 1 for each session at its opening, and 1 for each rotation in the database.
    prove("express", rotated.0, express.generations()?)?;
    prove("countersign", rotated.1, Seeder::on_database(directory.path()).await?.generations().await?)?;
    tell(names, &their_runs, &our_runs)
}

async fn measure(side: &Side, round: usize) -> Result<Figures, Failure> {
    report::progress(&format!("round {}: {}", round + 1, side.name))?;
    let order = Order::once(side.warm_up + side.each * round, side.each);
    let before = side.server.processor_time()?;
    let outcome = load::run(side.server.address, CALLERS, &side.requests, order).await?;
    let used = side.server.processor_time()?.saturating_sub(before);
    Ok(Figures::new(&outcome, used, side.server.resident()?))
}

/// Every refresh was a rotation that the database has: none was answered without a write.
fn prove(name: &str, refreshes: usize, generations: u64) -> Result<(), Failure> {
    if generations == 2 * refreshes as u64 {
        return Ok(());
    }
    Err(format!("{name}: {refreshes} refreshes, but the sum of generations is {generations}").into())
}

fn tell(names: (&str, &str), theirs: &[Figures], ours: &[Figures]) -> Result<(), Failure> {
    report::table("Refresh over HTTP: 64 callers, each request a durable rotation of another session")?;
    let by = |run: &Figures| run.per_second;
    let their = report::median(theirs.to_vec(), by).ok_or("no runs")?;
    let our = report::median(ours.to_vec(), by).ok_or("no runs")?;
    report::row(names.0, &their, theirs)?;
    report::row(names.1, &our, ours)?;
    report::say("\nBoth databases hold exactly as many rotations as there were answers.\n")?;
    let ratio = our.per_second / their.per_second;
    report::verdict("refreshes a second, to Express", &format!("{ratio:.1}"), "≥ 5", ratio >= WANTED)?;
    let ratio = our.per_cpu_second / their.per_cpu_second;
    report::say(&format!("- the same by processor time: {ratio:.1}"))?;
    Ok(())
}

fn request(cookies: &str, csrf: &str) -> Box<[u8]> {
    format!(
        "POST /auth/refresh HTTP/1.1\r\nHost: {ORIGIN_HOST}\r\nUser-Agent: {USER_AGENT}\r\nAccept: application/json\r\n\
         Origin: https://{ORIGIN_HOST}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
         X-Forwarded-For: {CLIENT_IP}\r\nX-Forwarded-Proto: https\r\nX-CSRF-Token: {csrf}\r\nContent-Length: 0\r\n\
         Cookie: {cookies}\r\n\r\n"
    )
    .into_bytes()
    .into()
}
