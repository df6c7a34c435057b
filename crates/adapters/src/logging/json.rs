//! Lines for programs: one JSON object an event, its fields at the top (I05).
//!
//! The access log writes one for each request, so a line is built in one pass and each value is cleaned as it is written,
//! instead of being formatted, parsed and searched as a whole.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::domain::recognise;
use countersign_core::domain::time::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::clean::{LONGEST, cut, head, redact_escaped, steers};
use super::writer::Lines;

/// What takes the place of a value whose name says that it is a secret.
const SECRET: &str = "[redacted secret]";

thread_local! {
    /// The text of a value, before it is cleaned. Taken while in use: a value may log while it prints itself.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
    /// The second that was formatted last.
    static SECOND: Cell<(i64, [u8; 19])> = const { Cell::new((i64::MIN, [0; 19])) };
}

/// Writes each event as a line.
pub(super) struct Json {
    lines: Lines,
}

impl Json {
    pub(super) const fn new(lines: Lines) -> Self {
        Self { lines }
    }
}

impl<S: Subscriber> Layer<S> for Json {
    fn on_event(&self, event: &Event<'_>, _spans: Context<'_, S>) {
        let meta = event.metadata();
        let mut object = Object { text: String::with_capacity(320) };
        object.text.push_str("{\"timestamp\":\"");
        push_now(&mut object.text);
        object.text.push_str("\",\"level\":\"");
        object.text.push_str(meta.level().as_str());
        object.text.push('"');
        event.record(&mut object);
        object.put("target", meta.target());
        object.text.push('}');
        self.lines.push_clean(whole(object.text));
    }
}

/// A line as it may be written. The cut end of an object is no object.
fn whole(line: String) -> String {
    if line.len() <= LONGEST {
        return line;
    }
    let mut object = Object {
        text: String::from("{\"level\":\"WARN\",\"message\":\"a log line could not be written as it was\""),
    };
    object.put("line", &cut(line));
    object.text.push('}');
    object.text
}

/// Now, in UTC with microseconds.
#[expect(clippy::disallowed_methods, reason = "the time of a log line is that of the machine")]
fn push_now(out: &mut String) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let secs = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let (mut formatted, mut digits) = SECOND.get();
    if formatted != secs {
        let text = Timestamp::from_secs(secs).rfc3339();
        // `2026-01-01T00:00:00`, without the zone that follows the fraction.
        digits = text.as_bytes().first_chunk().copied().unwrap_or([b'0'; 19]);
        formatted = secs;
        SECOND.set((formatted, digits));
    }
    out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    // Writing to a String cannot fail, here and below.
    let _infallible = write!(out, ".{:06}Z", since.subsec_micros());
}

/// An object that still lacks its closing brace.
struct Object {
    text: String,
}

impl Object {
    /// Adds a member whose value is text from anywhere.
    fn put(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.push('"');
        if recognise::is_secret_name(name) {
            self.text.push_str(SECRET);
        } else if value.len() > super::clean::LONGEST_RAW {
            push_escaped(&mut self.text, &redact_escaped(&head(value.as_bytes())));
        } else {
            push_escaped(&mut self.text, &redact_escaped(value));
        }
        self.text.push('"');
    }

    /// Adds a member that prints itself.
    fn put_printed(&mut self, name: &str, value: fmt::Arguments<'_>) {
        let mut scratch = SCRATCH.take();
        scratch.clear();
        let _failed = scratch.write_fmt(value);
        self.put(name, &scratch);
        SCRATCH.set(scratch);
    }

    /// Adds a member whose value is a JSON number or word.
    fn put_plain(&mut self, name: &str, value: fmt::Arguments<'_>) {
        if recognise::is_secret_name(name) {
            return self.put(name, "");
        }
        self.name(name);
        let _infallible = self.text.write_fmt(value);
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(",\"");
        push_escaped(&mut self.text, name.strip_prefix("r#").unwrap_or(name));
        self.text.push_str("\":");
    }
}

impl Visit for Object {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put_plain(field.name(), format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put_plain(field.name(), format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put_plain(field.name(), format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for the others.
        if value.is_finite() {
            self.put_plain(field.name(), format_args!("{value}"));
        } else {
            self.put_printed(field.name(), format_args!("{value}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put_printed(field.name(), format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_printed(field.name(), format_args!("{value:?}"));
    }
}

/// The inside of a JSON string (RFC 8259 §7); what steers a terminal is escaped too (I04).
fn push_escaped(out: &mut String, text: &str) {
    // Nearly every value is plain ASCII.
    if text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if steers(c) => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, value: &str) -> serde_json::Value {
        let mut object = Object { text: String::from("{\"level\":\"INFO\"") };
        object.put(name, value);
        object.text.push_str(",\"n\":7}");
        let line = whole(object.text);
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }

    const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl";

    /// I01: tokens and values of secret names go, and what comes out is JSON still.
    #[test]
    fn i01_values_are_cleaned() {
        for (name, value) in [
            ("message", format!("got {JWT}")),
            ("message", format!("first\n{JWT}\u{1b}[0m")),
            ("message", format!("{:?}", ["a\n", JWT])),
            ("authorization", "Bearer abcdef and more".into()),
            ("cookie", "a=b; c=d".into()),
            ("password", "hunter2hunter2\"quoted".into()),
            ("message", "authorization: Bearer abcdef".into()),
            ("path", "/cb/code=hunter2".into()),
        ] {
            let line = member(name, &value);
            assert_eq!((&line["level"], &line["n"]), (&"INFO".into(), &7.into()), "{line}");
            for gone in ["eyJ", "abcdef", "hunter2", "a=b"] {
                assert!(!line.to_string().contains(gone), "{line}");
            }
            assert!(line.to_string().contains("[redacted"), "{line}");
        }
    }

    /// I04: control characters and those that turn the reading direction are escaped, and come back as they were.
    #[test]
    fn i04_control_characters_are_escaped() {
        let evil = "a\r\nFAKE line\u{1b}[2J\0\u{7f}\u{9b}31m\u{202e}b\u{2028}c\n\"q\" C:\\new\t";
        assert_eq!(member("agent", evil)["agent"], evil);
    }

    /// I04: lengths are capped, and a cut line is JSON still.
    #[test]
    fn i04_length_caps() {
        let line = member("message", &"ä".repeat(40_000));
        assert!(line.to_string().len() < 2 * LONGEST);
        let line = member("message", &format!("{} {JWT}", "x".repeat(super::super::clean::LONGEST_RAW - 30)));
        assert!(!line.to_string().contains("eyJ"));
    }

    #[test]
    fn the_time_is_now_in_utc_with_microseconds() {
        let (mut first, mut second) = (String::new(), String::new());
        push_now(&mut first);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        push_now(&mut second);
        assert!(first < second && second.len() == "2026-01-01T00:00:00.000000Z".len(), "{first} {second}");
        assert!(Timestamp::parse_rfc3339(&second).is_some());
    }
}
