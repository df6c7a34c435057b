//! Speed and size of Countersign, as ratios in one run against programs on the same machine. `benches/README.md` says how.
//!
//! Servers run on one core, the load generator and the upstream on another. Compared are requests per second of a
//! server's own processor time, as medians of alternated runs. Nothing here is a test: figures are judged by people.

mod arguments;
mod contender;
mod gateway;
mod load;
mod machine;
mod order;
mod refresh;
mod report;
mod retrofit;
mod seed;
mod size;
mod verify;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::{Arguments, Subject};

/// What went wrong, for the person at the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing better can be done where even this cannot be written.
            drop(writeln!(std::io::stderr(), "countersign-benches: {failure}"));
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    machine::settle()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    report::head(&machine::description())?;
    runtime.block_on(async {
        if arguments.wants(Subject::Gateway) {
            gateway::run(&arguments).await?;
        }
        if arguments.wants(Subject::Retrofit) {
            retrofit::run(&arguments).await?;
        }
        if arguments.wants(Subject::Refresh) {
            refresh::run(&arguments).await?;
        }
        if arguments.wants(Subject::Verify) {
            verify::run(&arguments).await?;
        }
        if arguments.wants(Subject::Size) {
            size::run(&arguments).await?;
        }
        Ok(())
    })
}
