//! Lengths of time in words.

use std::time::Duration;

/// `40 seconds`, `2 minutes`, `7 days`: in the largest unit that says it to within a tenth or so, rounded up, so that whoever waits
/// that long has waited long enough.
pub(crate) fn duration_words(length: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let seconds = length.as_millis().div_ceil(1000).max(1) as u64;
    // Ninety minutes are no "2 hours", but 36 hours and more are days.
    let exact = |size: u64| seconds.is_multiple_of(size) || seconds > size * 10;
    let (count, unit) = UNITS
        .into_iter()
        .find(|(size, _)| seconds >= *size && exact(*size))
        .map_or((seconds, "second"), |(size, unit)| (seconds.div_ceil(size), unit));
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (millis, words) in [
            (0, "1 second"),
            (250, "1 second"),
            (1001, "2 seconds"),
            (59_000, "59 seconds"),
            (60_000, "1 minute"),
            (95_000, "95 seconds"),
            (900_000, "15 minutes"),
            (899_500, "15 minutes"),
            (5_400_000, "90 minutes"),
            (7_200_000, "2 hours"),
            (604_800_000, "7 days"),
            (2_592_000_000, "30 days"),
        ] {
            assert_eq!(duration_words(Duration::from_millis(millis)), words, "{millis} ms");
        }
    }
}
