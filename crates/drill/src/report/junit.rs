//! JUnit XML, which every CI shows: a check is a test case.

use super::model::Report;
use crate::verdict::{Severity, Verdict};

/// The report as JUnit XML. Findings at or above `fail_on` are failures; the others stand in the case's output.
#[must_use]
pub fn junit(report: &Report, fail_on: Severity) -> String {
    let failed = |severity: &Severity| *severity >= fail_on;
    let failures =
        report.checks.iter().filter(|checked| checked.found().as_ref().is_some_and(failed)).count();
    let skipped = report
        .checks
        .iter()
        .filter(|c| matches!(c.result, Verdict::NotApplicable { .. } | Verdict::Inconclusive { .. }))
        .count();
    let errors = report.checks.iter().filter(|c| matches!(c.result, Verdict::Error { .. })).count()
        + usize::from(report.problem.is_some());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"countersign drill {}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"{skipped}\" time=\"{}\" timestamp=\"{}\">\n",
        escape(&report.target),
        report.checks.len() + usize::from(report.problem.is_some()),
        seconds(report.took_ms),
        escape(&report.started_at)
    );
    if let Some(problem) = &report.problem {
        out.push_str(&format!(
            "  <testcase classname=\"drill\" name=\"the drill itself\"><error message=\"{}\"/></testcase>\n",
            escape(problem)
        ));
    }
    for checked in &report.checks {
        out.push_str(&format!(
            "  <testcase classname=\"drill\" name=\"{}: {}\" time=\"{}\">",
            escape(&checked.id),
            escape(&checked.title),
            seconds(checked.took_ms)
        ));
        let sentence = escape(checked.result.sentence());
        let steps = escape(&checked.result.steps().join("\n"));
        out.push_str(&match &checked.result {
            Verdict::Finding { severity, .. } if failed(severity) => format!(
                "<failure type=\"{severity}\" message=\"{sentence}\">{steps}\n\nRemedy: {}\nRule: {}</failure>",
                escape(&checked.remedy),
                escape(&checked.rule)
            ),
            Verdict::Finding { severity, .. } => format!("<system-out>{severity} finding: {sentence}\n{steps}\nRemedy: {}</system-out>", escape(&checked.remedy)),
            Verdict::Pass { .. } => format!("<system-out>{sentence}</system-out>"),
            Verdict::NotApplicable { .. } | Verdict::Inconclusive { .. } => format!("<skipped message=\"{}: {sentence}\"/>", checked.result.word()),
            Verdict::Error { .. } => format!("<error message=\"{sentence}\"/>"),
        });
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n");
    out
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
fn seconds(millis: u64) -> String {
    format!("{:.3}", millis as f64 / 1000.0)
}

/// Text in XML 1.0: what was sent by a hostile server must not end an attribute, nor be a character that XML forbids.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{7f}' | '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
