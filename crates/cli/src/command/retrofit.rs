//! `retrofit probe`: from a running application to its configuration.

use super::{Verdict, node, password};
use crate::args::{Global, Probe, RetrofitCommand};
use crate::config::{DEFAULT_FILE, Development, Sources, read};
use crate::output::{Screen, Tone, lifetime};
use crate::retrofit::{Found, Merged, learn, merge, replace};
use anyhow::{Context, bail};
use countersign_adapters::{SystemClock, SystemEntropy};
use countersign_core::port::{Clock, Entropy};
use countersign_drill::client::{Limits, Trust};
use countersign_drill::profile::Call;
use countersign_drill::scene::{Options, Present, Setting};
use countersign_drill::{Account, Broken, Profile, Progress, Scene, Target};
use serde_json::json;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Table;

/// Where a test account may stand.
const ACCOUNT: &str = "COUNTERSIGN_PROBE_ACCOUNT";
/// Detection asks a few hundred small questions of one's own application.
const RATE: u32 = 100;
/// Nothing takes as long; an application that hangs must not hang us.
const LONGEST: Duration = Duration::from_secs(120);

pub(super) fn retrofit(global: &Global, command: RetrofitCommand, screen: Screen) -> anyhow::Result<Verdict> {
    let RetrofitCommand::Probe(probe) = command;
    // What can be wrong with the file is said before anybody types a password.
    let file = file(global, &probe)?;
    let upstream = upstream(&probe)?;
    let scene = scene(&probe)?;
    let mut found = node::runtime()?.block_on(async {
        let steps = Steps { quiet: screen.json };
        match tokio::time::timeout(LONGEST, learn(&scene, &steps)).await {
            Ok(found) => found.map_err(|broken| told(&broken, &scene)),
            Err(_elapsed) => {
                bail!("{} did not let itself be looked at within {} s", scene.target, LONGEST.as_secs())
            }
        }
    })?;
    found.url = upstream;
    let before = file.text.as_deref().zip(file.table.as_ref());
    let merged =
        merge(before, &found, probe.name.as_deref()).with_context(|| file.path.display().to_string())?;
    accepted(&file, &merged)?;
    let written = probe.write.is_some() && !merged.added.is_empty();
    if written {
        replace(&file.path, &merged.text).with_context(|| format!("cannot write {}", file.path.display()))?;
    }
    report(&found, &merged, &file, written, screen)?;
    Ok(Verdict::Fine)
}

/// The file that is to hold it: of `--write`, of `--config`, or the usual one.
struct File {
    path: PathBuf,
    /// `None` if there is none yet.
    text: Option<String>,
    table: Option<Table>,
}

fn file(global: &Global, probe: &Probe) -> anyhow::Result<File> {
    let path = probe.write.clone().or_else(|| global.config.clone()).unwrap_or_else(|| DEFAULT_FILE.into());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    if let Some(text) = &text {
        // With line and column where it is no TOML.
        Sources::from_text(&path.display().to_string(), text)?;
    }
    let table = text.as_ref().and_then(|text| text.parse().ok());
    Ok(File { path, text, table })
}

/// The address for the configuration.
fn upstream(probe: &Probe) -> anyhow::Result<String> {
    let text = probe.upstream.as_deref().unwrap_or(&probe.url);
    let target = Target::parse(text).context(if probe.upstream.is_some() {
        "--upstream"
    } else {
        "the application's address"
    })?;
    if target.is_https() {
        bail!(
            "{text}: the gateway reaches applications over plain HTTP in this version; name the address behind the application's own TLS with --upstream http://…"
        );
    }
    Ok(target.origin().to_string())
}

fn scene(probe: &Probe) -> anyhow::Result<Scene> {
    let target = Target::parse(&probe.url).context("the application's address")?;
    let mut profile = match &probe.profile {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            Profile::parse(&text).with_context(|| path.display().to_string())?
        }
        None => Profile::default(),
    };
    if let Some(login) = &probe.login {
        profile.login.request = Some(login.parse::<Call>().context("--login")?);
    }
    let trust = match &probe.ca_file {
        _ if probe.insecure => Trust::Anything,
        Some(path) => {
            Trust::Also(std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?)
        }
        None => Trust::System,
    };
    let mut seed = [0; 32];
    SystemEntropy.fill(&mut seed);
    Ok(Scene::new(Setting {
        target,
        accounts: vec![account(probe)?],
        profile,
        options: Options::default(),
        logs: Vec::new(),
        trust,
        limits: Limits::default(),
        rate: RATE,
        present: Present::new(|| SystemClock.now()),
        seed,
    })?)
}

fn account(probe: &Probe) -> anyhow::Result<Account> {
    let parsed = |text: &str| Account::parse(text).map_err(anyhow::Error::from);
    if probe.account_stdin {
        return parsed(&password::whole_input()?).context("standard input");
    }
    if let Some(text) = std::env::var_os(ACCOUNT) {
        return parsed(text.to_str().context("COUNTERSIGN_PROBE_ACCOUNT is not UTF-8")?).context(ACCOUNT);
    }
    if !io::stdin().is_terminal() {
        bail!(
            "there is no terminal to ask for a test account at: set {ACCOUNT}, or pass NAME:PASSWORD with --account-stdin"
        );
    }
    writeln!(io::stderr(), "A test account of {}:", probe.url)?;
    let login = password::shown("  name or address: ")?;
    let password = password::asked("  password: ")?;
    if login.is_empty() || password.is_empty() {
        bail!("a test account has a name and a password");
    }
    Ok(Account { login, password: countersign_drill::Secret::new(password.as_str()) })
}

/// What the drill says, in the words of this command, and without any secret.
fn told(broken: &Broken, scene: &Scene) -> anyhow::Error {
    let text = scene.vault.scrub(&broken.to_string());
    let flags = [
        ("write the request into a profile: [login] request = ", "name the request: --login "),
        ("--ca-file", "--ca-file"),
    ];
    let text = flags.iter().fold(text, |text, (drill, own)| text.replace(drill, own));
    anyhow::anyhow!(text)
}

/// What comes out must be a configuration; what stood there before must have been one.
fn accepted(file: &File, merged: &Merged) -> anyhow::Result<()> {
    let name = file.path.display().to_string();
    let refused = |text: &str| -> anyhow::Result<Option<crate::config::Refused>> {
        let sources = Sources::from_text(&name, text)?.with_process_environment()?;
        let sources = match sources.contradicts_development() {
            Some(_) => sources,
            None => sources.with_development(&Development::default()),
        };
        Ok(read(&sources).err())
    };
    let Some(after) = refused(&merged.text)? else { return Ok(()) };
    let before = file.text.as_deref().map(refused).transpose()?.flatten();
    if let Some(before) = before {
        return Err(before).context("the file has to be mended first");
    }
    Err(after).context("what was found would not be a valid configuration")
}

fn report(found: &Found, merged: &Merged, file: &File, written: bool, screen: Screen) -> anyhow::Result<()> {
    if screen.json {
        screen.document(&json!({
            "found": found,
            "upstream": merged.upstream,
            "file": file.path,
            "added": merged.added,
            "written": written,
        }))?;
        return Ok(());
    }
    let paint = screen.paint;
    let row = |what: &str, value: &str| {
        screen.line(&format!("  {} {value}", paint.text(Tone::Quiet, &format!("{what:<8}"))))
    };
    screen.line(&paint.text(Tone::Strong, &found.url))?;
    row("login", &found.login.join(", "))?;
    row("token", &format!("{}, sent as {}", found.token, found.inject))?;
    row("good for", &found.lifetime.map_or_else(|| "not said".to_owned(), lifetime))?;
    row("user", found.subject.as_deref().unwrap_or("not found"))?;
    row("renewed", found.refresh.as_ref().map_or("not found", |refresh| &refresh.request))?;
    row(
        "logout",
        if found.logout.is_empty() { "not found".to_owned() } else { found.logout.join(", ") }.as_str(),
    )?;
    row("seen by", &found.who)?;
    if !found.open.is_empty() {
        screen.line(&format!("\n{}", paint.text(Tone::Warn, "For somebody who knows the application:")))?;
        for sentence in &found.open {
            screen.line(&format!("  - {sentence}"))?;
        }
    }
    screen.line("")?;
    if merged.added.is_empty() {
        screen.line(&format!("{} says so already; there is nothing to add.", file.path.display()))?;
        return Ok(());
    }
    let shown = file.path.display();
    let from = if file.text.is_some() { shown.to_string() } else { "/dev/null".to_owned() };
    screen.line(&paint.text(Tone::Quiet, &format!("--- {from}\n+++ {shown}")))?;
    let before = file.text.as_deref().unwrap_or_default();
    for line in merged.text.strip_prefix(before).unwrap_or(&merged.added).lines() {
        screen.line(&paint.text(Tone::Good, format!("+{line}").trim_end()))?;
    }
    screen.line("")?;
    let next = next(file, written);
    screen.line(&next)?;
    Ok(())
}

/// What to do now.
fn next(file: &File, written: bool) -> String {
    let path = file.path.display();
    if !written {
        return format!("Nothing was written. To add it: the same with --write {path}");
    }
    let flag = if file.path == Path::new(DEFAULT_FILE) { String::new() } else { format!(" --config {path}") };
    match file.text {
        Some(_) => format!(
            "{path} was written. Look at it with `countersign check{flag}`, then restart the gateway."
        ),
        None => format!(
            "{path} was written. Now `countersign dev{flag}` serves your application on https://localhost:8443."
        ),
    }
}

/// Says on a terminal what is going on.
struct Steps {
    quiet: bool,
}

impl Progress for Steps {
    fn part(&self, what: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            // Only for the eye: a terminal that is gone is no reason to stop.
            drop(writeln!(io::stderr(), "… {what}"));
        }
    }
    fn started(&self, _check: &countersign_drill::Check) {}
    fn finished(&self, _checked: &countersign_drill::report::Checked, _done: usize, _all: usize) {}
}
