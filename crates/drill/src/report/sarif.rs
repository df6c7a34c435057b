//! SARIF 2.1.0, which code-scanning pages show: a finding is a result, its location the address that was attacked.

use serde_json::{Value, json};

use super::model::{Checked, Report};
use crate::verdict::{Severity, Verdict};

/// The report as SARIF.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = report.checks.iter().map(rule).collect();
    let results: Vec<Value> = report
        .checks
        .iter()
        .enumerate()
        .filter_map(|(index, checked)| result(report, index, checked))
        .collect();
    let mut notes: Vec<Value> = report
        .checks
        .iter()
        .filter(|checked| matches!(checked.result, Verdict::Error { .. }))
        .map(|checked| json!({ "level": "warning", "message": { "text": format!("{}: {}", checked.id, checked.result.sentence()) } }))
        .collect();
    notes.extend(
        report.problem.iter().map(|problem| json!({ "level": "error", "message": { "text": problem } })),
    );
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "countersign drill",
                "version": report.tool.rsplit(' ').next().unwrap_or_default(),
                "informationUri": "https://github.com/countersign/countersign",
                "rules": rules,
            } },
            "invocations": [{
                "executionSuccessful": report.problem.is_none(),
                "startTimeUtc": report.started_at,
                "toolExecutionNotifications": notes,
            }],
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(checked: &Checked) -> Value {
    json!({
        "id": checked.id,
        "shortDescription": { "text": checked.title },
        "fullDescription": { "text": format!("{} ({})", checked.title, checked.rule) },
        "help": { "text": checked.remedy },
        "defaultConfiguration": { "level": level(checked.severity) },
        "properties": { "security-severity": score(checked.severity), "tags": ["security"] },
    })
}

fn result(report: &Report, index: usize, checked: &Checked) -> Option<Value> {
    let Verdict::Finding { severity, evidence } = &checked.result else { return None };
    let mut text = evidence.summary.clone();
    for step in &evidence.steps {
        text.push_str("\n- ");
        text.push_str(step);
    }
    Some(json!({
        "ruleId": checked.id,
        "ruleIndex": index,
        "level": level(*severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": report.target } } }],
        "partialFingerprints": { "check/v1": checked.id },
        "properties": { "security-severity": score(*severity) },
    }))
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}
