//! How a configured value may appear in a message: escaped, short, and without the passwords that URLs carry.

/// Longest value quoted in a message, in characters.
const LONGEST: usize = 100;

/// Quotes a value for a message. Anything that may hold a password (`postgres://u:p@…`, `password=…`) is reduced to
/// its scheme: start-up errors end in logs and tickets (I01).
pub(super) fn quoted(text: &str) -> String {
    if may_hold_password(text) {
        return scheme(text);
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// Quotes no more of a URL than its scheme.
pub(super) fn scheme(text: &str) -> String {
    let is_scheme = |scheme: &&str| scheme.len() <= 10 && scheme.chars().all(|c| c.is_ascii_lowercase());
    match text.split_once(':').map(|(scheme, _)| scheme).filter(is_scheme) {
        Some(scheme) => format!("\"{scheme}:…\""),
        None => "(hidden)".into(),
    }
}

/// Quotes any TOML value under the same rules.
pub(super) fn toml(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Array(items) => {
            let items: Vec<_> = items.iter().take(8).map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        toml::Value::Table(_) => "{…}".into(),
        other => other.to_string(),
    }
}

fn may_hold_password(text: &str) -> bool {
    let before_at = text.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'));
    before_at || text.to_ascii_lowercase().contains("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I01, I04: neither a password nor a control character of a value reaches a message.
    #[test]
    fn hides_passwords_and_escapes() {
        for text in
            ["postgres://u:hunter2@h/d", "u:hunter2@h", "host=x PASSWORD=hunter2", "smtp://u:hunter2@h:25"]
        {
            assert!(!quoted(text).contains("hunter2"), "{}", quoted(text));
        }
        assert_eq!(quoted("a\n\u{1b}[31m"), "\"a\\n\\u{1b}[31m\"");
        assert_eq!(quoted("Countersign <no-reply@example.com>"), "\"Countersign <no-reply@example.com>\"");
        assert!(quoted(&"x".repeat(5000)).len() < 200);
    }
}
