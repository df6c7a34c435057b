//! Spans of time for people.

/// `14 min 20 s`, `30 d`, `2 years`: two units at most.
#[must_use]
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str, u64); 4] =
        [(86_400 * 365, "year", 86_400), (86_400, "d", 3600), (3600, "h", 60), (60, "min", 1)];
    for (unit, name, minor) in UNITS {
        if seconds < unit {
            continue;
        }
        let (whole, rest) = (seconds / unit, seconds % unit / minor);
        let name = if name == "year" && whole != 1 { "years" } else { name };
        let minor = match minor {
            1 => "s",
            60 => "min",
            3600 => "h",
            _ => "d",
        };
        // Beside many of a unit the smaller one says nothing.
        return if rest == 0 || whole >= 20 {
            format!("{whole} {name}")
        } else {
            format!("{whole} {name} {rest} {minor}")
        };
    }
    format!("{seconds} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_well() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (860, "14 min 20 s"),
            (900, "15 min"),
            (1799, "29 min"),
            (3600, "1 h"),
            (5400, "1 h 30 min"),
            (86_400 * 30, "30 d"),
            (86_400 * 30 - 1, "29 d"),
            (86_400 * 7 + 3600, "7 d 1 h"),
            (86_400 * 365, "1 year"),
            (86_400 * 730 + 86_400 * 3, "2 years 3 d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
