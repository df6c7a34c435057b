//! Finding a Chromium.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What it is called by those who package it, best first.
const NAMES: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "brave-browser",
];

/// Where it is although no PATH says so.
const ELSEWHERE: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// There is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBrowser {
    /// The one that was named is not there.
    #[error("there is no browser at {}", .0.display())]
    Named(PathBuf),
    /// None was found.
    #[error(
        "no Chromium was found: install one (Debian: apt install chromium), or name it with --browser PATH"
    )]
    Nowhere,
}

/// The named program, or the first Chromium on `path` (the value of the environment's `PATH`).
///
/// # Errors
/// [`NoBrowser`].
pub fn find(named: Option<&Path>, path: Option<&OsStr>) -> Result<PathBuf, NoBrowser> {
    if let Some(named) = named {
        return if named.is_file() { Ok(named.to_owned()) } else { Err(NoBrowser::Named(named.to_owned())) };
    }
    let directories: Vec<_> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let on_path = NAMES.iter().flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
    on_path
        .chain(ELSEWHERE.iter().map(PathBuf::from))
        .find(|program| program.is_file())
        .ok_or(NoBrowser::Nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_and_by_path() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("google-chrome");
        std::fs::write(&program, "").unwrap();
        assert_eq!(find(None, Some(directory.path().as_os_str())), Ok(program.clone()));
        assert_eq!(find(Some(&program), None), Ok(program.clone()));
        let gone = directory.path().join("gone");
        assert_eq!(find(Some(&gone), Some(directory.path().as_os_str())), Err(NoBrowser::Named(gone)));
        std::fs::write(directory.path().join("chromium"), "").unwrap();
        assert_eq!(
            find(None, Some(directory.path().as_os_str())),
            Ok(directory.path().join("chromium")),
            "best first"
        );
    }
}
