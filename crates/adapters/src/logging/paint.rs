//! Colours for terminals, added to lines that are clean already.

/// Colours the level and dims the time of a pretty line.
pub(super) fn paint(line: &str) -> String {
    for (level, colour) in
        [("ERROR", "1;31"), (" WARN", "33"), (" INFO", "32"), ("DEBUG", "34"), ("TRACE", "35")]
    {
        // `<time> <level> <rest>`: the level stands right behind the time.
        if let Some((time, rest)) = line.split_once(' ')
            && let Some(rest) = rest.strip_prefix(level)
        {
            return format!("\u{1b}[2m{time}\u{1b}[0m \u{1b}[{colour}m{level}\u{1b}[0m{rest}");
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_level_behind_the_time_is_coloured() {
        let painted = paint("2026-01-01T00:00:00Z  INFO app: an ERROR in text");
        assert_eq!(
            painted,
            "\u{1b}[2m2026-01-01T00:00:00Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m app: an ERROR in text"
        );
        assert_eq!(paint("something else"), "something else");
    }
}
