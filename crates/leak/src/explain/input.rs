//! From what people paste to the token alone.

/// No token is longer, and none of the headers around one is.
const LONGEST: usize = 64 * 1024;
const CSRF_HEADER: &str = "x-csrf-token:";

/// What cannot be explained. Says nothing of what it was: it may be half a token.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// Nothing.
    #[error("there was no token to read: pipe one in, for example `pbpaste | countersign explain`")]
    Empty,
    /// More than one word.
    #[error(
        "that is {0} words, and a token is one: give the token alone, or one header line such as \
         `Authorization: Bearer …`"
    )]
    Words(usize),
    /// More than one cookie.
    #[error("that is {0} cookies: give one, as NAME=VALUE or its value alone")]
    Cookies(usize),
    /// Longer than any token.
    #[error("that is {0} bytes, and no token is longer than 65536")]
    TooLong(usize),
    /// Control characters.
    #[error(
        "it holds control characters, which no token does: it is a binary file, or was damaged when it was copied"
    )]
    NotText,
    /// Begins like a JWT.
    #[error(
        "it begins like a JWT, but its {part} {problem}: it was probably cut or changed when it was copied"
    )]
    Damaged {
        /// `header`, `claims` or `signature`.
        part: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A token, and the name of the cookie, field or header that it came in.
#[derive(Clone, Copy)]
pub(super) struct Given<'i> {
    pub(super) token: &'i str,
    pub(super) name: Option<&'i str>,
}

/// Finds the token.
pub(super) fn given(input: &str) -> Result<Given<'_>, Unreadable> {
    if input.len() > LONGEST {
        return Err(Unreadable::TooLong(input.len()));
    }
    let text = unquoted(input.trim());
    if text.chars().any(char::is_control) {
        // Lines are words to whoever pasted them.
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        return Err(if lines > 1 { Unreadable::Words(lines) } else { Unreadable::NotText });
    }
    if let Some(cookies) = after(text, "cookie:") {
        return cookie(cookies, false);
    }
    if let Some(cookies) = after(text, "set-cookie:") {
        return cookie(cookies, true);
    }
    if let Some(value) = after(text, CSRF_HEADER) {
        return one(unquoted(value)).map(|token| Given { token, name: Some("x-csrf-token") });
    }
    let text = ["authorization:", "countersign-assertion:"]
        .iter()
        .find_map(|name| after(text, name))
        .unwrap_or(text);
    let text =
        ["bearer ", "dpop ", "token ", "jwt "].iter().find_map(|name| after(text, name)).unwrap_or(text);
    if named(text).is_some() {
        return cookie(text, text.contains("; "));
    }
    one(unquoted(text)).map(|token| Given { token, name: None })
}

/// The value of the only cookie; of a `Set-Cookie`, the first.
fn cookie(text: &str, attributes: bool) -> Result<Given<'_>, Unreadable> {
    let parts: Vec<_> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    let known =
        ["path", "domain", "max-age", "expires", "samesite", "secure", "httponly", "partitioned", "priority"];
    let is_attribute = |part: &&&str| {
        let name = part.split('=').next().unwrap_or_default();
        known.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let count = parts.iter().filter(|part| !(attributes && is_attribute(part))).count();
    if count > 1 {
        return Err(Unreadable::Cookies(count));
    }
    let first = parts.first().copied().ok_or(Unreadable::Empty)?;
    let (name, value) = named(first).map_or((None, first), |(name, value)| (Some(name), value));
    one(unquoted(value)).map(|token| Given { token, name })
}

/// `name=value`, where the name is that of a cookie or a field and not the beginning of padded base64.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let good = (1..=64).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'));
    (good && !value.trim_matches('=').is_empty()).then_some((name, value))
}

fn one(text: &str) -> Result<&str, Unreadable> {
    match text.split_whitespace().count() {
        0 => Err(Unreadable::Empty),
        1 => Ok(text.trim()),
        words => Err(Unreadable::Words(words)),
    }
}

fn after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| rest.trim())
}

fn unquoted(text: &str) -> &str {
    ['"', '\'', '`']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text)
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste() {
        for (pasted, token, name) in [
            ("abc\n", "abc", None),
            ("  \"abc\"  ", "abc", None),
            ("Bearer abc", "abc", None),
            ("authorization: bearer abc", "abc", None),
            ("Authorization: Token abc\r\n", "abc", None),
            ("Cookie: sid=abc", "abc", Some("sid")),
            ("sid=abc", "abc", Some("sid")),
            ("Set-Cookie: sid=abc; Path=/; HttpOnly; SameSite=Lax", "abc", Some("sid")),
            ("sid=abc; Path=/; Secure", "abc", Some("sid")),
            ("c2VjcmV0cw==", "c2VjcmV0cw==", None),
        ] {
            let given = given(pasted).unwrap();
            assert_eq!((given.token, given.name), (token, name), "{pasted:?}");
        }
    }

    #[test]
    fn what_is_no_token() {
        for (pasted, error) in [
            ("", Unreadable::Empty),
            (" \n ", Unreadable::Empty),
            ("\"\"", Unreadable::Empty),
            ("two words", Unreadable::Words(2)),
            ("one\ntwo\nthree", Unreadable::Words(3)),
            ("Cookie: a=b; c=d", Unreadable::Cookies(2)),
            ("a\0b", Unreadable::NotText),
        ] {
            assert_eq!(given(pasted).err(), Some(error), "{pasted:?}");
        }
        assert_eq!(given(&"x".repeat(LONGEST + 1)).err(), Some(Unreadable::TooLong(LONGEST + 1)));
    }
}
