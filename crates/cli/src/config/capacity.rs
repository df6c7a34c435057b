//! Whether all connections fit into the files that the system lets a process open.

use super::Settings;
use super::finding::{Finding, Findings};

/// For the store, keys, listeners, logs, mail and operators.
const OWN: u64 = 256;

/// How many clients may be connected at a time.
#[derive(Debug)]
pub(crate) struct Capacity {
    /// `limits.connections`, or what fits of it.
    pub(crate) connections: u32,
    /// What does not fit.
    pub(crate) findings: Vec<Finding>,
}

/// Fits connections into `files` open files; `None` is no limit. Those to upstreams come first: idle clients that
/// leave none for them would turn every request into a 502.
pub(crate) fn capacity(settings: &Settings, files: Option<u64>) -> Capacity {
    let wanted = settings.limits.connections;
    let mut found = Findings::default();
    let Some(files) = files else { return Capacity { connections: wanted, findings: Vec::new() } };
    let rest = files - OWN.min(files / 2);
    let upstreams: u64 = settings.upstreams.iter().map(|upstream| u64::from(upstream.max_connections)).sum();
    let room = rest - upstreams.min(rest / 2);
    let remedy = |setting: &str| {
        format!("raise the hard limit (LimitNOFILE= of a systemd unit, `ulimit -Hn`), or set {setting}")
    };
    if upstreams > rest / 2 {
        let message = format!(
            "together the upstreams may have {upstreams} connections, but the system lets this process open {files} files"
        );
        found.warn("upstream.max_connections", upstreams, &message, &remedy("fewer for each upstream"));
    }
    let connections = u32::try_from(room).unwrap_or(u32::MAX).clamp(1, wanted);
    if connections < wanted {
        let message = format!(
            "the system lets this process open {files} files, so {connections} clients are served at a time: one file each, beside {} for connections to upstreams and {} for countersign itself",
            rest - room,
            files - rest
        );
        found.warn(
            "limits.connections",
            wanted,
            &message,
            &remedy(&format!("limits.connections = {connections}")),
        );
    }
    Capacity { connections, findings: found.into_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, read};

    fn of(text: &str, files: Option<u64>) -> (u32, Vec<String>) {
        let checked = read(&Sources::from_text("test.toml", text).unwrap()).unwrap();
        let Capacity { connections, findings } = capacity(checked.inspect(), files);
        (connections, findings.into_iter().map(|finding| finding.key).collect())
    }

    /// Clients, upstreams and the program itself together never need more than there is.
    #[test]
    fn clients_leave_room_for_upstreams() {
        let empty = "environment = \"development\"\n";
        let app = |most: u32| {
            format!(
                "{empty}[[upstream]]\nname = \"app\"\nurl = \"http://127.0.0.1:3000\"\nmax_connections = {most}\n"
            )
        };
        let clients = || vec!["limits.connections".to_owned()];
        let both = || ["upstream.max_connections", "limits.connections"].map(str::to_owned).to_vec();
        assert_eq!(of(&app(256), None), (4096, vec![]));
        assert_eq!(of(&app(256), Some(65_536)), (4096, vec![]));
        assert_eq!(of(&app(256), Some(1024)), (512, clients()));
        assert_eq!(of(empty, Some(1024)), (768, clients()));
        assert_eq!(of(&format!("{empty}[limits]\nconnections = 100"), Some(1024)), (100, vec![]));
        assert_eq!(of(&app(100_000), Some(1024)), (384, both()));
        assert_eq!(of(&app(100_000), Some(2)), (1, both()));
    }
}
