//! Changes to the text of `master.key` that leave alone what they are not about.

use countersign_core::domain::id::KeyId;
use countersign_core::domain::secret::SecretArray;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

/// The text with one more entry, before all others.
pub(super) fn with_first(text: &str, id: KeyId, secret: &SecretArray<32>) -> Zeroizing<String> {
    // Room for all of it: growing would leave copies behind that are not wiped.
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 80));
    let mut digits = Zeroizing::new([0; 64]);
    HEXLOWER.encode_mut(secret.expose(), &mut *digits);
    let mut added = false;
    for line in text.lines() {
        if !added && !entries(line).0.trim().is_empty() {
            added = true;
            push_entry(&mut out, id, digits.as_slice());
        }
        out.push_str(line);
        out.push('\n');
    }
    if !added {
        push_entry(&mut out, id, digits.as_slice());
    }
    out
}

fn push_entry(out: &mut String, id: KeyId, digits: &[u8]) {
    out.push_str(&id.0.to_string());
    out.push(':');
    out.extend(digits.iter().map(|digit| char::from(*digit)));
    out.push('\n');
}

/// The text without an entry; a comment beside it goes too, unless other entries stand on its line.
pub(super) fn without(text: &str, id: KeyId) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in text.lines() {
        let (code, comment) = entries(line);
        if !code.split(',').any(|entry| is_of(entry, id)) {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let mut rest =
            code.split(',').filter(|entry| !entry.trim().is_empty() && !is_of(entry, id)).peekable();
        if rest.peek().is_none() {
            continue;
        }
        for (index, entry) in rest.enumerate() {
            out.push_str(if index == 0 { "" } else { "," });
            out.push_str(entry.trim());
        }
        if let Some(comment) = comment {
            out.push_str("   #");
            out.push_str(comment);
        }
        out.push('\n');
    }
    out
}

/// What stands before a comment, and the comment.
fn entries(line: &str) -> (&str, Option<&str>) {
    match line.split_once('#') {
        Some((code, comment)) => (code, Some(comment)),
        None => (line, None),
    }
}

fn is_of(entry: &str, id: KeyId) -> bool {
    entry.split_once(':').is_some_and(|(name, _)| name.trim().parse() == Ok(id.0))
}
