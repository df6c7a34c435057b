//! A directory with a configuration, commands run in it, and servers that end with the test.

use crate::web::Browser;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for F01, in no list of common words.
pub(crate) const PASSWORD: &str = "violet tractor mends 47 quiet clouds";
/// What browsers would show; the real port differs, which a loopback Host may.
pub(crate) const ORIGIN: &str = "http://localhost:18080";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Plain HTTP on a free port: what a test needs of a server.
pub(crate) const PLAIN: &str = r#"
environment = "development"
public_url = "http://localhost:18080"
store = "sqlite:countersign.db"
[listen]
address = "127.0.0.1:0"
admin = "127.0.0.1:0"
[tls]
mode = "off"
"#;

/// A directory of one test.
pub(crate) struct Place {
    directory: TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Asserts success, and gives the output.
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// Asserts exit code 2 and that the message holds all of these words.
    pub(crate) fn refused(self, words: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    /// The output as a document.
    pub(crate) fn json(self) -> Value {
        let out = self.fine();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

impl Place {
    /// With this configuration.
    pub(crate) fn new(configuration: &str) -> Self {
        let place = Self::empty();
        fs::write(place.path("countersign.toml"), configuration).unwrap();
        place
    }

    /// Without any.
    pub(crate) fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The binary in this directory; nothing of the developer's own settings reaches it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.directory.path()).args(args).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs a command with something on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // A command that does not read may be gone already.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts `serve` and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--json"]))
    }
}

/// A running server, killed with the test.
pub(crate) struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    /// Starts a command that prints one JSON line when it is ready.
    pub(crate) fn start(mut command: Command) -> Self {
        Self::start_with_log(&mut command, Stdio::null())
    }

    /// The same, with the log going somewhere.
    pub(crate) fn start_with_log(command: &mut Command, log: impl Into<Stdio>) -> Self {
        let mut child = command.stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let status = child.wait().unwrap();
            panic!("no ready line ({error}): {line:?}, {status}")
        });
        Self { child, ready }
    }

    /// What it said when it was ready.
    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.ready["listen"][0].as_str().unwrap(), self.ready["public_url"].as_str().unwrap())
    }

    /// A program that asks the admin listener.
    pub(crate) fn admin(&self) -> Browser {
        Browser::new(self.ready["admin"].as_str().unwrap(), ORIGIN)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, and gives its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let status = until("the server to end", || self.child.try_wait().unwrap());
        status.code()
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended; both then fail harmlessly.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks until there is an answer.
pub(crate) fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        if let Some(found) = probe() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("waited {} s for {what}", PATIENCE.as_secs())
}

/// Reads what a child says, line by line.
pub(crate) fn lines(reader: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(reader).lines().map_while(Result::ok)
}
