//! The page that turns a navigation from another site into one of our own (design §4, "Bounce").

use askama::Template;

use super::shell::Shell;

/// A reload is same-origin, so the browser sends the Strict cookies with it, and it keeps the fragment. Without
/// script a link does the same (less the fragment). The page shows nothing and loads nothing unless script is off.
#[derive(Debug, Template)]
#[template(path = "bounce.html")]
pub struct Bounce<'a> {
    /// The frame; only its nonce and product are used.
    pub shell: Shell<'a>,
}
