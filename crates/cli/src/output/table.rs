//! Aligned columns.

use super::{Paint, Tone};

/// Rows of cells; the last column is as wide as it likes.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<(Tone, String)>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (Tone, String)>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, without a final newline.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let widths: Vec<usize> = self
            .head
            .iter()
            .enumerate()
            .map(|(column, title)| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|(_, text)| width(text)).max().unwrap_or(0).max(width(title))
            })
            .collect();
        let head = self.head.iter().map(|title| (Tone::Quiet, title.to_uppercase())).collect();
        let lines = std::iter::once(&head).chain(&self.rows).map(|row| line(row, &widths, paint));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn line(row: &[(Tone, String)], widths: &[usize], paint: Paint) -> String {
    let mut out = String::new();
    for (index, ((tone, text), column)) in row.iter().zip(widths).enumerate() {
        if index > 0 {
            out.push_str("  ");
        }
        out.push_str(&paint.text(*tone, text));
        if index + 1 < row.len() {
            out.push_str(&" ".repeat(column.saturating_sub(width(text))));
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_clean() {
        let mut table = Table::new(&["name", "state"]);
        table.row([(Tone::Plain, "ada".into()), (Tone::Good, "live".into())]);
        table.row([(Tone::Plain, "grace".into()), (Tone::Plain, String::new())]);
        assert_eq!(table.render(Paint::NONE), "NAME   STATE\nada    live\ngrace");
    }
}
