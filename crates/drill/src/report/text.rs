//! For a terminal: what to do first stands first.

use super::model::{Checked, Report};
use super::radius::Obtained;
use crate::verdict::{Severity, Verdict};

/// How a piece of text stands out; never the only carrier of a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A heading.
    Strong,
    /// Beside the point.
    Quiet,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// An attack that worked.
    Bad,
}

/// Paints text, or leaves it.
pub type Painter<'p> = &'p dyn Fn(Style, &str) -> String;

/// The report as text. `all` shows every check; otherwise what passed is only counted.
#[must_use]
pub fn text(report: &Report, all: bool, paint: Painter<'_>) -> String {
    let mut out = String::new();
    if let Some(application) = &report.application {
        let mut row = |name: &str, value: &str| {
            out.push_str(&format!("  {} {value}\n", paint(Style::Quiet, &format!("{name:<9}"))))
        };
        row("sign-in", &application.login);
        row("who", &application.who);
        for credential in &application.credentials {
            row("token", credential);
        }
        if let Some(refresh) = &application.refresh {
            row("renewal", refresh);
        }
        if let Some(logout) = &application.logout {
            row("sign-out", logout);
        }
        out.push('\n');
    }
    let findings = report.findings();
    if !findings.is_empty() {
        out.push_str(&format!("{}\n", paint(Style::Strong, "What worked")));
        for checked in findings {
            finding(&mut out, checked, paint);
        }
    }
    radius(&mut out, report, paint);
    let mut group = |title: &str, style: Style, wanted: fn(&Verdict) -> bool| {
        let group: Vec<&Checked> = report.checks.iter().filter(|checked| wanted(&checked.result)).collect();
        if group.is_empty() {
            return;
        }
        out.push_str(&format!("{}\n", paint(Style::Strong, title)));
        for checked in group {
            let id = paint(style, &format!("{:<24}", checked.id));
            out.push_str(&format!("  {id} {}\n", checked.result.sentence()));
        }
        out.push('\n');
    };
    group("Went wrong", Style::Warn, |verdict| matches!(verdict, Verdict::Error { .. }));
    group("Cannot be told", Style::Warn, |verdict| matches!(verdict, Verdict::Inconclusive { .. }));
    if all {
        group("Held", Style::Good, |verdict| matches!(verdict, Verdict::Pass { .. }));
        group("Does not apply", Style::Quiet, |verdict| matches!(verdict, Verdict::NotApplicable { .. }));
    }
    out.push_str(&closing(report, paint));
    out
}

const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => Style::Bad,
        Severity::Medium => Style::Warn,
        Severity::Low | Severity::Info => Style::Quiet,
    }
}

fn finding(out: &mut String, checked: &Checked, paint: Painter<'_>) {
    let severity = checked.found().unwrap_or(checked.severity);
    let head = format!("{:<8}", severity.as_str());
    out.push_str(&format!(
        "  {} {} {}\n",
        paint(style(severity), &head),
        paint(Style::Strong, &checked.id),
        checked.result.sentence()
    ));
    for step in checked.result.steps() {
        out.push_str(&format!("           {}\n", paint(Style::Quiet, step)));
    }
    out.push_str(&format!("           {} {}\n", paint(Style::Quiet, "do:"), checked.remedy));
    out.push_str(&format!("           {}\n\n", paint(Style::Quiet, &format!("rule: {}", checked.rule))));
}

fn radius(out: &mut String, report: &Report, paint: Painter<'_>) {
    if report.credentials.is_empty() {
        return;
    }
    out.push_str(&format!("{}\n", paint(Style::Strong, "Blast radius: what a thief could do with")));
    for obtained in &report.credentials {
        out.push_str(&format!("  {} [{}]\n", obtained.name, obtained.fingerprint));
        for line in sentences(obtained) {
            out.push_str(&format!("    {line}\n"));
        }
    }
    out.push('\n');
}

/// The blast radius in sentences.
#[must_use]
pub fn sentences(obtained: &Obtained) -> Vec<String> {
    let radius = &obtained.radius;
    let mut lines = Vec::new();
    if obtained.readable_by_script {
        lines.push("any script of the page can read it".to_owned());
    }
    if !radius.works_for.is_empty() {
        lines.push(radius.works_for.join("; "));
    }
    match radius.elsewhere {
        Some(true) => lines.push("works from any device and network".to_owned()),
        Some(false) => lines.push("does not work on another device".to_owned()),
        None => {}
    }
    match radius.worst_s {
        Some(seconds) => lines.push(format!("good for {} if nobody notices", span(seconds))),
        None => lines.push("no end is known if nobody notices".to_owned()),
    }
    match radius.after_logout {
        Some(stopped) if stopped.stopped => {
            lines.push(format!("stopped {:.1} s after its owner signed out (measured)", stopped.seconds))
        }
        Some(stopped) => {
            lines.push(format!("still worked {:.1} s after its owner signed out (measured)", stopped.seconds))
        }
        None => {}
    }
    match (radius.noticed, radius.noticed_after_s) {
        (Some(true), Some(seconds)) => lines.push(format!(
            "its use by two is noticed: both were locked out {seconds:.1} s after it showed (measured)"
        )),
        (Some(true), None) => lines.push("its use by two is noticed".to_owned()),
        (Some(false), _) => lines.push("its use by two is not noticed".to_owned()),
        (None, _) => {}
    }
    lines
}

/// `15 min`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn closing(report: &Report, paint: Painter<'_>) -> String {
    let summary = report.summary();
    let counts = format!(
        "{} held, {} worked, {} cannot be told, {} do not apply, {} went wrong; requests: {}, in {:.1} s",
        summary.passed,
        summary.findings,
        summary.inconclusive,
        summary.not_applicable,
        summary.errors,
        report.requests,
        std::time::Duration::from_millis(report.took_ms).as_secs_f64()
    );
    let verdict = match (&report.problem, report.worst()) {
        (Some(problem), _) => paint(Style::Bad, &format!("The drill could not finish: {problem}")),
        (None, None) => paint(Style::Good, "Nothing that was tried worked."),
        (None, Some(worst)) => paint(style(worst), &format!("The worst is {worst}.")),
    };
    format!("{verdict}\n{}\n", paint(Style::Quiet, &counts))
}
