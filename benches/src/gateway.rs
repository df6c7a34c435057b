//! Authenticated requests through the gateway, beside a proxy that checks nothing and one that checks signatures.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;
use crate::arguments::Arguments;
use crate::contender::{Contender, Countersign, ORIGIN_HOST};
use crate::load::{self, Requests};
use crate::order::{Order, zipf};
use crate::report::{self, Figures};
use crate::seed::{CLIENT_IP, Seeder, Session, USER_AGENT};

/// As browsers and load balancers keep them.
pub(crate) const CONNECTIONS: usize = 32;
/// Sessions that were seen before.
const SEEN: usize = 20_000;
/// Draws before the order repeats itself.
pub(crate) const DRAWS: usize = 1 << 20;

/// Who is measured, and with which requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Case {
    Nginx,
    SeenZipf,
    SeenSingle,
    Haproxy,
    NeverSeen,
}

const CASES: [(Case, &str); 5] = [
    (Case::Nginx, "nginx `proxy_pass`, no authentication"),
    (Case::SeenZipf, "Countersign, 20,000 tokens seen before, by Zipf"),
    (Case::SeenSingle, "Countersign, one token seen before"),
    (Case::Haproxy, "haproxy `jwt_verify` ES256, 20,000 tokens by Zipf"),
    (Case::NeverSeen, "Countersign, each token never seen before"),
];

/// Everything that runs.
struct Field {
    nginx: Contender,
    haproxy: Contender,
    countersign: Contender,
    /// Ed25519 tokens: the first [`Field::seen`] come again and again, each of the others once.
    ours: Requests,
    /// ES256 tokens.
    theirs: Requests,
    seen: usize,
    fresh: usize,
}

/// Measures and reports.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let (seen, fresh) = (arguments.count(SEEN, 500), arguments.count(30_000, 500));
    report::progress("opening sessions")?;
    let seeder = Seeder::on_database(directory.path()).await?;
    let sessions = seeder.sessions(seen + fresh * arguments.rounds).await?;
    // The server takes the store's lock.
    drop(seeder);
    let es256 = Seeder::es256(directory.path()).await?;
    let theirs = es256.sessions(seen).await?;

    let upstream = Contender::upstream(directory.path()).await?;
    let server = Countersign::configure(&arguments.server, directory.path(), upstream.address)?;
    let field = Field {
        nginx: Contender::nginx(directory.path(), upstream.address).await?,
        haproxy: Contender::haproxy(directory.path(), upstream.address, &es256.es256_pem()?).await?,
        countersign: server.start().await?.0,
        ours: requests(&sessions),
        theirs: requests(&theirs),
        seen,
        fresh,
    };
    field.check(&sessions, &theirs).await?;

    let mut runs: [Vec<Figures>; 5] = Default::default();
    for round in 0..arguments.rounds {
        for ((case, name), runs) in CASES.iter().zip(&mut runs) {
            report::progress(&format!("round {}: {name}", round + 1))?;
            runs.push(field.measure(*case, round, arguments.span()).await?);
        }
    }
    field.countersign.stop();
    let opened = sessions.len() as u64;
    if Seeder::on_database(directory.path()).await?.generations().await? != opened {
        return Err("requests were let in by rotation, not by their access tokens".into());
    }
    tell(&runs)
}

fn tell(runs: &[Vec<Figures>; 5]) -> Result<(), Failure> {
    report::table("Gateway: 32 connections, keep-alive, 200-byte answers, access log on")?;
    let mut medians = Vec::new();
    for ((_, name), runs) in CASES.iter().zip(runs) {
        let median = report::median(runs.clone(), |run| run.per_cpu_second).ok_or("no runs")?;
        report::row(name, &median, runs)?;
        medians.push(median.per_cpu_second);
    }
    let [nginx, zipf, single, haproxy, never] = *medians.as_slice() else {
        return Err("a case is missing".into());
    };
    report::say("")?;
    for (what, figure, rival, wanted) in [
        ("token seen before, Zipf, to nginx", zipf, nginx, 0.8),
        ("token seen before, single, to nginx", single, nginx, 0.8),
        ("token never seen before, to haproxy", never, haproxy, 1.2),
    ] {
        let ratio = figure / rival;
        report::verdict(what, &format!("{ratio:.2}"), &format!("≥ {wanted}"), ratio >= wanted)?;
    }
    Ok(())
}

impl Field {
    /// One run, after a warm-up of the same kind.
    async fn measure(&self, case: Case, round: usize, span: Duration) -> Result<Figures, Failure> {
        let (server, requests) = match case {
            Case::Nginx => (&self.nginx, &self.ours),
            Case::Haproxy => (&self.haproxy, &self.theirs),
            Case::SeenZipf | Case::SeenSingle | Case::NeverSeen => (&self.countersign, &self.ours),
        };
        let warm_up = match case {
            // Connections to the application, mostly; the measured tokens stay unseen.
            Case::NeverSeen | Case::SeenSingle => Order::once(0, self.seen.min(1000)),
            _ => Order::once(0, self.seen),
        };
        load::run(server.address, CONNECTIONS, requests, warm_up).await?;
        let order = match case {
            Case::SeenSingle => Order::repeated(vec![0], Instant::now() + span),
            Case::NeverSeen => Order::once(self.seen + self.fresh * round, self.fresh),
            Case::Nginx | Case::SeenZipf | Case::Haproxy => {
                let drawn = zipf(self.seen, DRAWS);
                Order::repeated(drawn, Instant::now() + span)
            }
        };
        let before = server.processor_time()?;
        let outcome = load::run(server.address, CONNECTIONS, requests, order).await?;
        let used = server.processor_time()?.saturating_sub(before);
        Ok(Figures::new(&outcome, used, server.resident()?))
    }

    /// That each contender does what the table says it does.
    async fn check(&self, ours: &[Session], theirs: &[Session]) -> Result<(), Failure> {
        let (our, their) = (ours.first().ok_or("no sessions")?, theirs.first().ok_or("no sessions")?);
        let seen = load::ask(self.countersign.address, &request("/echo", &our.cookies())).await?;
        let identity = seen.contains("user=bench-user-") && seen.contains("assertion=ey");
        if !identity || seen.contains("cs-access") || seen.contains("cs-refresh") {
            return Err(format!("countersign: the application was told {seen:?}").into());
        }
        let seen = load::ask(self.haproxy.address, &request("/echo", &their.cookies())).await?;
        if !seen.contains("user=bench-user-") {
            return Err(format!("haproxy: the application was told {seen:?}").into());
        }
        for (server, session, name) in
            [(&self.countersign, our, "countersign"), (&self.haproxy, their, "haproxy")]
        {
            // The signature's first character, so that no unused bits are hit.
            let (body, signature) = session.access.rsplit_once('.').ok_or("a token without signature")?;
            let other = if signature.starts_with('A') { 'B' } else { 'A' };
            let forged: String = std::iter::once(other).chain(signature.chars().skip(1)).collect();
            let cookie = format!("__Host-Http-cs-access={body}.{forged}");
            if load::ask(server.address, &request("/echo", &cookie)).await.is_ok() {
                return Err(format!("{name} lets a forged token in").into());
            }
        }
        Ok(())
    }
}

fn requests(sessions: &[Session]) -> Requests {
    Arc::new(sessions.iter().map(|session| request("/page", &session.cookies())).collect())
}

/// What a browser's script sends, by way of a proxy that ends TLS.
pub(crate) fn request(path: &str, cookies: &str) -> Box<[u8]> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {ORIGIN_HOST}\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\n\
         Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
         X-Forwarded-For: {CLIENT_IP}\r\nX-Forwarded-Proto: https\r\nCookie: {cookies}\r\n\r\n"
    )
    .into_bytes()
    .into()
}
