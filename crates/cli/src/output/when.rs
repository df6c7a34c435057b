//! Times for people: absolute, and how long ago.

use countersign_core::domain::time::Timestamp;

/// The present, to tell times relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When(pub(crate) Timestamp);

impl When {
    /// `3 min ago`, `in 6 d`; the text itself if it is no time.
    pub(crate) fn relative(self, at: &str) -> String {
        let Some(at) = Timestamp::parse_rfc3339(at) else { return at.to_owned() };
        // Times are shown in whole seconds: what happened in this one is now.
        if at.as_secs() == self.0.as_secs() {
            return "now".into();
        }
        if at > self.0 {
            format!("in {}", span(at.since(self.0).as_secs()))
        } else {
            format!("{} ago", span(self.0.since(at).as_secs()))
        }
    }

    /// `2026-02-01 12:00:00Z`.
    pub(crate) fn absolute(at: &str) -> String {
        at.replacen('T', " ", 1)
    }

    /// Both.
    pub(crate) fn both(self, at: &str) -> String {
        format!("{} ({})", Self::absolute(at), self.relative(at))
    }
}

/// `30 d`, `15 min`, `42 s`.
pub(crate) fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    // To the nearest: a session of thirty days that was opened a second ago ends in 30 d, not in 29.
    let nearest = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    match (seconds, nearest(MINUTE), nearest(HOUR)) {
        (0..=99, ..) => format!("{seconds} s"),
        (_, minutes @ ..60, _) => format!("{minutes} min"),
        (_, _, hours @ ..24) => format!("{hours} h"),
        _ => format!("{} d", nearest(DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let when = When(Timestamp::parse_rfc3339("2026-02-10T12:00:00Z").unwrap());
        for (at, expected) in [
            ("2026-02-10T12:00:00Z", "now"),
            ("2026-02-10T11:59:58Z", "2 s ago"),
            ("2026-02-10T11:57:00Z", "3 min ago"),
            ("2026-02-10T11:58:21Z", "99 s ago"),
            ("2026-02-10T11:58:20Z", "2 min ago"),
            ("2026-02-10T11:00:31Z", "59 min ago"),
            ("2026-02-10T11:00:30Z", "1 h ago"),
            ("2026-02-10T10:30:01Z", "1 h ago"),
            ("2026-02-10T10:30:00Z", "2 h ago"),
            ("2026-02-11T11:59:59Z", "in 1 d"),
            ("2026-03-12T11:59:58Z", "in 30 d"),
            ("2026-02-17T12:00:00Z", "in 7 d"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(when.relative(at), expected);
        }
        assert_eq!(when.both("2026-02-10T11:57:00Z"), "2026-02-10 11:57:00Z (3 min ago)");
    }
}
