//! Running a store's own program.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program; its complaint if it fails. It gets no input: one that asks for a password fails rather than hangs.
pub(super) fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.trim();
    Err(if complaint.is_empty() {
        format!("{program}: {}", output.status)
    } else {
        format!("{program}: {complaint}")
    })
}

/// A path or word for a shell, to be shown and copied.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '~' | '+');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same for a path.
pub(super) fn quote_path(path: &Path) -> String {
    quote(&path.to_string_lossy())
}
