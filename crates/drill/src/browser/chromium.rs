//! One Chromium process: started with a fresh profile, ended by its id.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::cdp::Cdp;
use super::door::ClosedDoor;
use super::{BrowserError, Options};
use crate::target::Target;

/// How long it may take to start; a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// What is written when its door is open: the port, then the path.
const DOOR: &str = "DevToolsActivePort";

/// Without a window, without anything that talks to anybody but the pages that are opened. Real attackers' pages come from the public
/// internet to a public host; the rule that keeps such pages from loopback would hide what they can do there.
const FLAGS: [&str; 20] = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-popup-blocking",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
    "--mute-audio",
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,Translate,OptimizationHints,MediaRouter,\
     HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
];

/// A running browser. It ends when this is dropped, and its profile is deleted.
#[derive(Debug)]
pub(super) struct Chromium {
    pub(super) cdp: Arc<Cdp>,
    // In this order: the process ends before its files go.
    _process: Process,
    _profile: TempDir,
    _door: ClosedDoor,
}

/// Ended by its id, whatever happens to us; its helpers end when it does.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            tracing::warn!(%error, id = self.0.id(), "Chromium could not be ended");
        }
    }
}

impl Chromium {
    /// Starts one that reaches the target and nothing else.
    pub(super) async fn start(
        program: &Path,
        options: &Options,
        target: &Target,
    ) -> Result<Self, BrowserError> {
        let failed = |why: String| BrowserError::Start { program: program.to_owned(), why };
        let profile = tempfile::Builder::new()
            .prefix("countersign-drill-")
            .tempdir()
            .map_err(|e| failed(e.to_string()))?;
        let mut command = Command::new(program);
        let closed = ClosedDoor::open().await.map_err(|error| failed(error.to_string()))?;
        command
            .args(FLAGS)
            .args(closed.flags(target))
            .arg(format!("--user-data-dir={}", profile.path().display()));
        if options.any_certificate {
            command.arg("--ignore-certificate-errors");
        }
        if options.no_sandbox {
            command.arg("--no-sandbox");
        }
        command.arg("about:blank");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process(command.spawn().map_err(|error| failed(error.to_string()))?);
        let door = profile.path().join(DOOR);
        let began = Instant::now();
        let (port, path) = loop {
            if let Ok(Some(status)) = process.0.try_wait() {
                return Err(failed(format!(
                    "it ended at once ({status}); as root it needs to run without its sandbox"
                )));
            }
            let text = tokio::fs::read_to_string(&door).await.unwrap_or_default();
            if let Some((port, path)) = read_door(&text) {
                break (port, path);
            }
            if began.elapsed() > PATIENCE {
                return Err(failed(format!("it opened no door within {} s", PATIENCE.as_secs())));
            }
            sleep(PAUSE).await;
        };
        let cdp = Cdp::connect(port, &path).await.map_err(failed)?;
        Ok(Self { cdp: Arc::new(cdp), _process: process, _profile: profile, _door: closed })
    }
}

fn read_door(text: &str) -> Option<(u16, String)> {
    let (port, path) = text.split_once('\n')?;
    let path = path.trim();
    path.starts_with("/devtools/").then(|| Some((port.trim().parse().ok()?, path.to_owned())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_is_read_whole_or_not_at_all() {
        assert_eq!(
            read_door("41234\n/devtools/browser/abc\n"),
            Some((41234, "/devtools/browser/abc".into()))
        );
        for half in ["", "41234", "41234\n", "x\n/devtools/browser/a", "41234\n/dev"] {
            assert_eq!(read_door(half), None, "{half:?}");
        }
    }
}
