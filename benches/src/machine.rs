//! The machine: cores, processor time and memory of a process, free ports.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// Where the measured servers run.
const SERVER_CORE: &str = "0";
/// Where everything else runs.
const CLIENT_CORE: &str = "1";
/// `USER_HZ`: fixed at 100 for what /proc shows (proc(5)).
const TICKS: u32 = 100;

/// Moves this process to the clients' core.
///
/// # Errors
/// Where there is no second core, or no `taskset`.
pub(crate) fn settle() -> Result<(), Failure> {
    let id = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["-a", "-c", "-p", CLIENT_CORE, &id])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("taskset (package util-linux): {error}"))?;
    if moved.success() { Ok(()) } else { Err("this needs two cores".into()) }
}

/// A program on the servers' core.
pub(crate) fn on_server_core(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(program);
    command
}

/// A TCP port of the loopback address that nobody uses at the moment.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Processor time that a process and its descendants have used, to 10 ms.
///
/// # Errors
/// When it has ended.
pub(crate) fn processor_time(pid: u32) -> Result<Duration, Failure> {
    let mut ticks = 0;
    for pid in family(pid) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may hold spaces and parentheses: count from the last one. utime and stime are fields 14 and 15.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        for field in after_name.split_whitespace().skip(11).take(2) {
            ticks += field.parse::<u32>()?;
        }
    }
    Ok(Duration::from_secs(ticks.into()) / TICKS)
}

/// Resident memory of a process and its descendants, in kB.
///
/// # Errors
/// When it has ended.
pub(crate) fn resident(pid: u32) -> Result<u64, Failure> {
    let mut total = 0;
    for pid in family(pid) {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        total += line.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(total)
}

/// A process and its descendants.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        all.extend(family(child));
    }
    all
}

/// Processor, kernel and versions of the programs compared with.
pub(crate) fn description() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{}; Linux {}; load before the run {}; {}, {}, Node.js {}",
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim(),
        load.split(' ').take(1).collect::<String>(),
        version("nginx", "-v").trim_start_matches("nginx version: "),
        version("haproxy", "-v").split(" 20").take(1).collect::<String>(),
        version("node", "--version"),
    )
}

fn version(program: &str, flag: &str) -> String {
    let Ok(output) = Command::new(program).arg(flag).output() else { return format!("no {program}") };
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned()
}

/// Size of a file in bytes, if there is one.
pub(crate) fn size_of(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
}
