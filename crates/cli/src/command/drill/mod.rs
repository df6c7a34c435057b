//! `drill`: attacks an application as thieves would, and reports what they would get.

mod progress;

use super::{Verdict, node};
use crate::args::Drill;
use crate::output::{Paint, Screen, Tone};
use anyhow::{Context, bail};
use countersign_adapters::{SystemClock, SystemEntropy};
use countersign_core::port::{Clock, Entropy};
use countersign_drill::browser::{self, find};
use countersign_drill::client::{Limits, Trust};
use countersign_drill::report::text::{self, Style};
use countersign_drill::report::{html, junit, sarif};
use countersign_drill::runner::{Progress, Silent};
use countersign_drill::scene::{LogFile, Options, Present, Setting};
use countersign_drill::{Account, Attack, Profile, Report, Scene, Target, attack, drill};
use progress::Line;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Longest file of accounts, in bytes.
const MOST: u64 = 64 * 1024;

pub(super) fn run(typed: &Drill, screen: Screen) -> anyhow::Result<Verdict> {
    let scene = Scene::new(setting(typed)?)?;
    let before = earlier(typed)?;
    let attacks = chosen(typed)?;
    let report = node::runtime()?.block_on(async {
        let line = (io::stderr().is_terminal() && !screen.json).then(Line::new);
        let progress: &dyn Progress = line.as_ref().map_or(&Silent, |line| line);
        drill(&scene, &attacks, progress).await
    });
    written(typed, &report, before.as_ref())?;
    if screen.json {
        screen.document(&report)?;
    } else {
        let painter = |style, text: &str| painted(screen.paint, style, text);
        screen.line(text::text(&report, typed.verbose, &painter).trim_end())?;
    }
    if let Some(problem) = &report.problem {
        bail!("{problem}");
    }
    // What went wrong was not tried: no success, whatever else was seen.
    let wrong =
        report.checks.iter().filter(|check| matches!(check.result, countersign_drill::Verdict::Error { .. }));
    let wrong: Vec<&str> = wrong.map(|check| check.id.as_ref()).collect();
    if !wrong.is_empty() {
        bail!(
            "the drill could not be run to its end: {} went wrong, see the report for why",
            wrong.join(", ")
        );
    }
    let failed = report.worst().is_some_and(|worst| worst >= typed.fail_on);
    Ok(if failed { Verdict::Findings } else { Verdict::Fine })
}

fn setting(typed: &Drill) -> anyhow::Result<Setting> {
    let mut profile = match &typed.profile {
        None => Profile::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let mut profile = Profile::parse(&text).with_context(|| path.display().to_string())?;
            // Files that a profile names lie beside it.
            let beside = path.parent().unwrap_or(Path::new("."));
            for file in profile.must_refuse.values_mut() {
                *file = beside.join(&*file);
            }
            profile
        }
    };
    if typed.elsewhere.is_some() {
        profile.elsewhere.clone_from(&typed.elsewhere);
    }
    let trust = match (&typed.ca_file, typed.insecure) {
        (Some(path), _) => Trust::Also(std::fs::read(path).with_context(|| path.display().to_string())?),
        (None, true) => Trust::Anything,
        (None, false) => Trust::System,
    };
    let log = |path: &PathBuf| LogFile { name: path.display().to_string(), path: path.clone() };
    Ok(Setting {
        target: Target::parse(&typed.url)?,
        accounts: accounts(typed)?,
        profile,
        options: Options { active: typed.active, wait: typed.wait },
        logs: typed.log.iter().map(log).collect(),
        trust,
        limits: Limits::default(),
        rate: typed.rate,
        present: Present::new(|| SystemClock.now()),
        seed: SystemEntropy.bytes(),
    })
}

fn accounts(typed: &Drill) -> anyhow::Result<Vec<Account>> {
    let Some(path) = &typed.accounts_file else {
        let given = typed.account.iter().chain(&typed.account2);
        return Ok(given.map(|text| Account::parse(text)).collect::<Result<_, _>>()?);
    };
    let mut text = String::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(MOST).read_to_string(&mut text).context("standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
        file.take(MOST).read_to_string(&mut text).with_context(|| path.display().to_string())?;
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(Account::parse).collect::<Result<_, _>>()?)
}

/// The browser's attacks run before those that lock accounts, which come last by their order.
fn chosen(typed: &Drill) -> anyhow::Result<Vec<Box<dyn Attack>>> {
    let only = &typed.only;
    let mut all = attack::all();
    if !typed.no_browser {
        let found = find(typed.browser.as_deref(), std::env::var_os("PATH").as_deref());
        let program = match (found, &typed.browser) {
            (Ok(program), _) => Ok(program),
            // What was named and is not there is a mistake; what was not named is only missing.
            (Err(error), Some(_)) => return Err(error.into()),
            (Err(error), None) => Err(error.to_string()),
        };
        all.extend(browser::attacks(browser::Options {
            program,
            any_certificate: typed.insecure || typed.ca_file.is_some(),
            no_sandbox: rustix::process::geteuid().is_root(),
        }));
    }
    if only.is_empty() {
        return Ok(all);
    }
    if let Some(unknown) = only.iter().find(|id| !all.iter().any(|attack| attack.check().id == **id)) {
        let ids: Vec<&str> = all.iter().map(|attack| attack.check().id).collect();
        bail!("there is no check {unknown:?}; there are {}", ids.join(", "));
    }
    all.retain(|attack| only.iter().any(|id| attack.check().id == id));
    Ok(all)
}

/// The report to compare with, read before anything is attacked: a wrong file is told at once.
fn earlier(typed: &Drill) -> anyhow::Result<Option<Report>> {
    let Some(path) = &typed.before else { return Ok(None) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let report = serde_json::from_str(&text)
        .with_context(|| format!("{} is no report of --json-file", path.display()))?;
    Ok(Some(report))
}

fn written(typed: &Drill, report: &Report, before: Option<&Report>) -> anyhow::Result<()> {
    if let Some(path) = &typed.html {
        let page = html::render(report, before)?;
        std::fs::write(path, page).with_context(|| path.display().to_string())?;
    }
    let save = |path: Option<&PathBuf>, text: &dyn Fn() -> String| match path {
        Some(path) => std::fs::write(path, text()).with_context(|| path.display().to_string()),
        None => Ok(()),
    };
    save(typed.json_file.as_ref(), &|| report.to_json())?;
    save(typed.junit.as_ref(), &|| junit(report, typed.fail_on))?;
    save(typed.sarif.as_ref(), &|| sarif(report))?;
    Ok(())
}

fn painted(paint: Paint, style: Style, text: &str) -> String {
    let tone = match style {
        Style::Strong => Tone::Strong,
        Style::Quiet => Tone::Quiet,
        Style::Good => Tone::Good,
        Style::Warn => Tone::Warn,
        Style::Bad => Tone::Bad,
    };
    paint.text(tone, text)
}
