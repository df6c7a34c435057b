//! What `[[retrofit]]` adds to a proxied request that is no login: the same requests with it and without.

use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;

use crate::Failure;
use crate::arguments::Arguments;
use crate::contender::{Contender, Countersign};
use crate::gateway::{CONNECTIONS, DRAWS, request};
use crate::load::{self, Requests};
use crate::order::{Order, zipf};
use crate::report::{self, Figures};
use crate::seed::Seeder;

/// Sessions, each with a token of its own.
const SESSIONS: usize = 20_000;

/// The two lines, and what `check` would ask for beside them.
const RETROFIT: &str = "[[retrofit]]\nlogin = [\"POST /api/login\"]\nlogout = [\"POST /api/logout\"]";
/// The same routes without it.
const PLAIN: &str = "[[route]]\npath = \"/*\"\nauth = \"optional\"";

/// A server, and the requests of its own sessions.
struct Side {
    name: &'static str,
    server: Contender,
    requests: Requests,
}

impl Side {
    async fn start(
        name: &'static str,
        arguments: &Arguments,
        directory: &Path,
        upstream: &Contender,
        more: &str,
    ) -> Result<Self, Failure> {
        report::progress(&format!("opening sessions: {name}"))?;
        let seeder = Seeder::on_database(directory).await?;
        let sessions = seeder.sessions_with_tokens(arguments.count(SESSIONS, 500)).await?;
        drop(seeder);
        let server = Countersign::configure_with(&arguments.server, directory, upstream.address, more)?;
        let (server, _) = server.start().await?;
        let requests = sessions.iter().map(|session| request("/page", &session.cookies())).collect();
        Ok(Self { name, server, requests: Arc::new(requests) })
    }

    async fn measure(&self, arguments: &Arguments) -> Result<Figures, Failure> {
        let count = self.requests.len();
        load::run(self.server.address, CONNECTIONS, &self.requests, Order::once(0, count)).await?;
        let order = Order::repeated(zipf(count, DRAWS), Instant::now() + arguments.span());
        let before = self.server.processor_time()?;
        let outcome = load::run(self.server.address, CONNECTIONS, &self.requests, order).await?;
        let used = self.server.processor_time()?.saturating_sub(before);
        Ok(Figures::new(&outcome, used, self.server.resident()?))
    }
}

/// Measures and reports.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (with, without) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let upstream = Contender::upstream(with.path()).await?;
    let sides = [
        Side::start("Countersign with [[retrofit]]", arguments, with.path(), &upstream, RETROFIT).await?,
        Side::start("Countersign without", arguments, without.path(), &upstream, PLAIN).await?,
    ];
    let mut runs: [Vec<Figures>; 2] = Default::default();
    for round in 0..arguments.rounds {
        for (side, runs) in sides.iter().zip(&mut runs) {
            report::progress(&format!("round {}: {}", round + 1, side.name))?;
            runs.push(side.measure(arguments).await?);
        }
    }
    report::table(
        "Retrofit: 32 connections, keep-alive, 200-byte answers, a token injected into each request",
    )?;
    let mut medians = Vec::new();
    for (side, runs) in sides.iter().zip(&runs) {
        let median = report::median(runs.clone(), |run| run.per_cpu_second).ok_or("no runs")?;
        report::row(side.name, &median, runs)?;
        medians.push(median.per_cpu_second);
    }
    let [with, without] = *medians.as_slice() else { return Err("a side is missing".into()) };
    report::say("")?;
    let added = without / with - 1.0;
    report::verdict(
        "added to a request that is no login",
        &format!("{:.0} %", added * 100.0),
        "≤ 10 %",
        added <= 0.1,
    )?;
    Ok(())
}
