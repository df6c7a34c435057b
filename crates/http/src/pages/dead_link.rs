//! A link from a mail that no longer works.

use askama::Template;

use super::problem::Link;
use super::shell::Shell;

/// Says so before anybody fills in a form for nothing.
#[derive(Debug, Template)]
#[template(path = "dead_link.html")]
pub struct DeadLink<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// What does not work any more.
    pub title: &'a str,
    /// Why that may be.
    pub happened: &'a str,
    /// What to do.
    pub remedy: &'a str,
    /// The likely way on.
    pub action: Link<'a>,
}
