//! Spans of time for people.

/// `14 min`, `30 d`, `2 years`: to the nearest of the largest unit that fits.
pub(super) fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let nearest = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    let some = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    match seconds {
        0..100 => some(seconds, "second", "seconds"),
        _ if nearest(MINUTE) < 100 => some(nearest(MINUTE), "minute", "minutes"),
        _ if nearest(HOUR) < 48 => some(nearest(HOUR), "hour", "hours"),
        _ if nearest(DAY) < 700 => some(nearest(DAY), "day", "days"),
        _ => some(nearest(YEAR), "year", "years"),
    }
}

/// The same for what was measured.
pub(super) fn measured(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of one run; negative ones were cut above"
    )]
    let whole = seconds.round() as u64;
    span(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        for (seconds, text) in [
            (1, "1 second"),
            (60, "60 seconds"),
            (900, "15 minutes"),
            (7200, "2 hours"),
            (86_400, "24 hours"),
            (30 * 86_400, "30 days"),
            (2 * 365 * 86_400, "2 years"),
        ] {
            assert_eq!(span(seconds), text, "{seconds}");
        }
        assert_eq!((measured(0.04), measured(61.4)), ("0.0 s".into(), "61 seconds".into()));
    }
}
