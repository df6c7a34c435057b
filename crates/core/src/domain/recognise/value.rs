//! Names whose values are secrets, and where such a value ends.

use crate::domain::cost;

/// Names whose values are secrets wherever they stand (I01).
const SECRET_NAMES: [&str; 23] = [
    "password",
    "passwd",
    "current_password",
    "new_password",
    "_csrf",
    "csrf_token",
    "x-csrf-token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "client_secret",
    "secret",
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "dpop",
    "code",
    "invitation",
    "countersign-assertion",
    "countersign-forward-auth",
];

/// What stands before the quote of a value: nothing, or what `Debug` and JSON put there.
const BEFORE_QUOTE: [&str; 6] = ["", "Some(", "Ok(", "[", "(", "b"];

/// Whether the value of a member, field or header of this name is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// The value, and how far behind the start of the name it begins, if a text begins with a secret name and its value.
pub(super) fn secret_value(rest: &str) -> Option<(usize, &str)> {
    let name = rest.get(..cost::find(rest, |c| !is_name_char(c)).unwrap_or(rest.len()))?;
    if !is_secret_name(name) {
        return None;
    }
    let after = rest.get(name.len()..)?.trim_start_matches(['"', '\'', ' ', '\\', ']']);
    let value = after.strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
    cost::looked(rest.len() - value.len());
    if is_header(name) {
        let end = cost::find(value, |c| matches!(c, '\r' | '\n')).unwrap_or(value.len());
        return spanned(rest, value, end);
    }
    // Only right here: searched for in the whole text, each of the empty values of `code=&code=&…` would read all of it.
    let quoted = BEFORE_QUOTE
        .iter()
        .find_map(|before| value.strip_prefix(before).filter(|v| v.starts_with(['"', '\'', '\\'])));
    let Some(quoted) = quoted else {
        // Commas and brackets may be part of it: better too much than half a password.
        return spanned(rest, value, bare_len(value));
    };
    // The opening quote with its escapes: text that was quoted twice closes with the same.
    let content = quoted.trim_start_matches('\\');
    let opener = quoted.get(..quoted.len() - content.len() + 1)?;
    let content = content.get(1..)?;
    let closed = content.match_indices(opener).map(|(at, _)| at).find(|at| {
        let escapes = content.get(..*at).unwrap_or_default();
        (escapes.len() - escapes.trim_end_matches('\\').len()).is_multiple_of(2)
    });
    cost::looked(opener.len() + closed.unwrap_or(content.len()));
    let end = match closed {
        // An apostrophe may also be the first character of a form value.
        _ if opener == "'" => closed.unwrap_or(0).max(bare_len(content)),
        Some(end) => end,
        None => content.len(),
    };
    spanned(rest, content, end)
}

/// How long a value without quotes is.
fn bare_len(value: &str) -> usize {
    cost::find(value, |c| c.is_whitespace() || matches!(c, '&' | '"')).unwrap_or(value.len())
}

/// `value` is a tail of `rest`: how far behind its start, and its first `len` bytes. `None` for an empty one.
fn spanned<'t>(rest: &'t str, value: &'t str, len: usize) -> Option<(usize, &'t str)> {
    let value_only = value.get(..len).filter(|v| !v.is_empty())?;
    Some((rest.len() - value.len(), value_only))
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

fn is_header(word: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "dpop"]
        .iter()
        .any(|n| n.eq_ignore_ascii_case(word))
}
