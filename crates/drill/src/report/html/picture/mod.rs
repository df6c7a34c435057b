//! Pictures as inline SVG. Widths are shares of the page and text has the page's own size, so they read on a telephone too;
//! colours are the page's, by class.

mod bars;
mod chain;
mod timeline;

pub(super) use bars::bars;
pub(super) use chain::chain;
pub(super) use timeline::timeline;

/// Text between tags and in attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Cut to what fits beside a line.
fn short(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(longest.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A picture of this height in pixels, as wide as the page lets it be.
fn svg(height: usize, title: &str, inside: &str) -> String {
    format!(
        "<svg width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"{}\">{inside}</svg>",
        escaped(title)
    )
}
