//! Size of the binary, memory at rest, time from start to ready.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::arguments::Arguments;
use crate::contender::Countersign;
use crate::machine;
use crate::report;
use crate::seed::Seeder;

/// Sessions in the existing database.
const SESSIONS: usize = 20_000;
/// Starts, of which the median counts.
const STARTS: usize = 5;
/// Until start-up's memory has settled.
const REST: Duration = Duration::from_secs(3);
const MB: f64 = 1024.0 * 1024.0;

/// Measures and reports.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let seeder = Seeder::on_database(directory.path()).await?;
    let sessions = arguments.count(SESSIONS, 500);
    seeder.sessions(sessions).await?;
    drop(seeder);
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let server = Countersign::configure(&arguments.server, directory.path(), nowhere)?;
    let (mut starts, mut resident) = (Vec::new(), 0);
    for _ in 0..STARTS {
        report::progress("starting")?;
        let (running, ready) = server.start().await?;
        starts.push(ready);
        tokio::time::sleep(REST).await;
        resident = running.resident()?.max(resident);
        running.stop();
    }
    starts.sort_unstable();
    let start = starts.get(STARTS / 2).copied().unwrap_or_default();

    report::say("\n### Size\n")?;
    binary("binary, this profile", &arguments.server)?;
    binary("binary, `dist` profile", &beside(&arguments.server, "dist"))?;
    let memory = report::real(resident) / 1024.0;
    report::verdict("memory at rest", &format!("{memory:.1} MB"), "≤ 30 MB", memory <= 30.0)?;
    let millis = start.as_secs_f64() * 1e3;
    let what = format!("start to ready, {sessions} sessions in the database");
    report::verdict(&what, &format!("{millis:.0} ms"), "≤ 100 ms", millis <= 100.0)?;
    Ok(())
}

fn binary(what: &str, path: &Path) -> Result<(), Failure> {
    let Some(bytes) = machine::size_of(path) else {
        report::say(&format!("- {what}: not built"))?;
        return Ok(());
    };
    let size = report::real(bytes) / MB;
    report::verdict(what, &format!("{size:.1} MB"), "≤ 30 MB", size <= 30.0)?;
    Ok(())
}

/// The same program of another profile.
fn beside(server: &Path, profile: &str) -> std::path::PathBuf {
    let name = server.file_name().unwrap_or_default();
    server.parent().and_then(Path::parent).map(|target| target.join(profile).join(name)).unwrap_or_default()
}
