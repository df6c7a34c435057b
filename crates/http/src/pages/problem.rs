//! Pages for what went wrong.

use askama::Template;

use super::shell::Shell;

/// A way on.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// An own-origin path.
    pub href: &'a str,
    /// What it does, as a verb.
    pub label: &'a str,
}

/// An error: what happened and what to do, with the request id in the footer. The reason stays in the log (I06).
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// The HTTP status.
    pub status: u16,
    /// A few words.
    pub title: &'a str,
    /// One sentence: what happened.
    pub happened: &'a str,
    /// One sentence: what to do.
    pub remedy: &'a str,
    /// A button, if there is a way on.
    pub action: Option<Link<'a>>,
}

/// Nothing at this address.
#[derive(Debug, Template)]
#[template(path = "not_found.html")]
pub struct NotFound<'a> {
    /// The frame.
    pub shell: Shell<'a>,
}
