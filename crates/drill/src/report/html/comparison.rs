//! Two runs beside each other.

use super::super::Report;
use super::answer::Answer;
use crate::verdict::Verdict;

/// What changed from one run to the next.
pub(super) struct Comparison<'r> {
    pub(super) before: &'r Report,
    pub(super) answer: Answer,
    pub(super) rows: Vec<Row<'r>>,
    pub(super) fixed: usize,
    pub(super) appeared: usize,
    pub(super) remain: usize,
}

/// One check in both runs, where it is a finding in one of them at least.
pub(super) struct Row<'r> {
    pub(super) title: &'r str,
    pub(super) was: String,
    pub(super) is: String,
    /// `fixed`, `new` or `remains`.
    pub(super) change: &'static str,
}

impl<'r> Comparison<'r> {
    pub(super) fn of(before: &'r Report, now: &'r Report) -> Self {
        let mut rows = Vec::new();
        for checked in &now.checks {
            let earlier = before.check(&checked.id);
            let was = earlier.is_some_and(|earlier| earlier.found().is_some());
            let is = checked.found().is_some();
            // What could not be tried again is not fixed.
            let passed = matches!(checked.result, Verdict::Pass { .. } | Verdict::NotApplicable { .. });
            let change = match (was, is) {
                (true, true) => "remains",
                (true, false) if passed => "fixed",
                (true, false) => "unclear",
                (false, true) => "new",
                (false, false) => continue,
            };
            let word = |result: Option<&Verdict>| match result {
                Some(Verdict::Finding { severity, .. }) => severity.to_string(),
                Some(other) => other.word().to_owned(),
                None => String::from("not tried"),
            };
            rows.push(Row {
                title: &checked.title,
                was: word(earlier.map(|earlier| &earlier.result)),
                is: word(Some(&checked.result)),
                change,
            });
        }
        let count = |change: &str| rows.iter().filter(|row| row.change == change).count();
        Self {
            before,
            answer: Answer::of(before),
            fixed: count("fixed"),
            appeared: count("new"),
            remain: count("remains"),
            rows,
        }
    }
}
