//! Durations as people write them: `15m`, `7d`, `500ms`, `1h30m`.

use std::time::Duration;

/// Parses a duration. A bare number is refused: whoever means seconds and whoever means minutes write the same `15`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim().chars().peekable();
    let mut total = Duration::ZERO;
    rest.peek()?;
    while rest.peek().is_some() {
        let mut digits = String::new();
        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        let mut unit = String::new();
        while let Some(letter) = rest.next_if(|c| !c.is_ascii_digit()) {
            unit.push(letter);
        }
        total = total.checked_add(part(digits.parse().ok()?, &unit)?)?;
    }
    Some(total)
}

fn part(count: u64, unit: &str) -> Option<Duration> {
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(count)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::from_secs)
}

/// Writes a duration in the largest unit that holds it exactly, so that `parse(show(d)) == d` (to the millisecond).
pub(super) fn show(span: Duration) -> String {
    if span.subsec_millis() != 0 {
        return format!("{}ms", span.as_millis());
    }
    let seconds = span.as_secs();
    for (size, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm')] {
        if seconds != 0 && seconds.is_multiple_of(size) {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_and_sums() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("10s", 10_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for text in [
            "",
            " ",
            "15",
            "m",
            "15 m",
            "-1s",
            "1.5h",
            "1w",
            "15M",
            "1h30",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn shows_what_it_would_read() {
        for text in ["0s", "500ms", "10s", "15m", "90m", "36h", "7d", "61s"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }
}
