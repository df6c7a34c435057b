//! The report as one page: no script, no requests, pictures inside; readable by somebody who has never heard of a token.

mod answer;
mod comparison;
mod picture;
mod words;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;

use super::{Checked, Report, Summary};
use crate::verdict::{Severity, Verdict};
use answer::Answer;
use comparison::Comparison;

/// The page's only style sheet; its digest is in the page's policy, so that nothing that got into the page could add another.
const STYLE: &str = include_str!("../../../templates/report.css");

/// Why no page was made.
#[derive(Debug, thiserror::Error)]
#[error("the HTML report could not be written: {0}")]
pub struct NotRendered(#[from] askama::Error);

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'r> {
    report: &'r Report,
    style: &'static str,
    policy: String,
    answer: Answer,
    summary: Summary,
    comparison: Option<Comparison<'r>>,
    bars: Option<String>,
    bars_before: Option<String>,
    thefts: Vec<Told<'r>>,
    findings: Vec<Card<'r>>,
    passed: Vec<Line<'r>>,
    open: Vec<Line<'r>>,
    took: String,
}

/// A theft with its pictures.
struct Told<'r> {
    theft: &'r super::Theft,
    timeline: String,
    chain: Option<String>,
}

/// A finding.
struct Card<'r> {
    checked: &'r Checked,
    severity: Severity,
    summary: &'r str,
    steps: &'r [String],
}

/// A check without a finding.
struct Line<'r> {
    checked: &'r Checked,
    word: &'static str,
    sentence: &'r str,
}

/// Renders a report; with the one of an earlier run, also what changed since.
///
/// # Errors
/// [`NotRendered`].
pub fn render(report: &Report, before: Option<&Report>) -> Result<String, NotRendered> {
    let line = |checked: &'_ Checked| checked.found().is_none();
    let lines = |passed: bool| {
        report
            .checks
            .iter()
            .filter(|checked| line(checked) && matches!(checked.result, Verdict::Pass { .. }) == passed)
            .map(|checked| Line { checked, word: checked.result.word(), sentence: checked.result.sentence() })
            .collect()
    };
    let findings = report.findings().into_iter().map(|checked| Card {
        checked,
        severity: checked.found().unwrap_or(checked.severity),
        summary: checked.result.sentence(),
        steps: checked.result.steps(),
    });
    let thefts = report.thefts.iter().map(|theft| Told {
        theft,
        timeline: picture::timeline(theft),
        chain: picture::chain(theft),
    });
    let page = Page {
        report,
        style: STYLE,
        policy: policy(),
        answer: Answer::of(report),
        summary: report.summary(),
        comparison: before.map(|before| Comparison::of(before, report)),
        bars: picture::bars(&report.credentials),
        bars_before: before.and_then(|before| picture::bars(&before.credentials)),
        thefts: thefts.collect(),
        findings: findings.collect(),
        passed: lines(true),
        open: lines(false),
        took: words::span(report.took_ms.div_ceil(1000)),
    };
    Ok(page.render()?)
}

/// Nothing from anywhere but this style sheet.
fn policy() -> String {
    let digest = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

#[cfg(test)]
mod tests;
