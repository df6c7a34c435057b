//! Headings, and names with values that are broken where the screen ends.

use super::{Paint, Tone};

/// Width of the names, the indent before them included.
const NAMES: usize = 15;
/// Where text is broken.
const WIDTH: usize = 100;

/// Text that grows.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    paint: Paint,
}

impl Page {
    pub(super) const fn new(paint: Paint) -> Self {
        Self { text: String::new(), paint }
    }

    /// A line of its own, broken where it is too long.
    pub(super) fn paragraph(&mut self, text: &str, tone: Tone) {
        for line in broken(text, WIDTH) {
            self.text.push_str(&self.paint.text(tone, &line));
            self.text.push('\n');
        }
    }

    /// A heading of what follows.
    pub(super) fn heading(&mut self, text: &str) {
        self.paragraph(text, Tone::Strong);
    }

    /// A name and its value.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        self.row((name, Tone::Quiet), (value, Tone::Plain));
    }

    /// A name and its value, each in a tone.
    pub(super) fn row(&mut self, (name, name_tone): (&str, Tone), (value, tone): (&str, Tone)) {
        let used = 2 + name.chars().count();
        let room = NAMES.max(used + 2);
        let lines = broken(value, WIDTH - NAMES);
        for (index, line) in lines.iter().enumerate() {
            let margin = if index == 0 {
                format!("  {}{}", self.paint.text(name_tone, name), " ".repeat(room - used))
            } else {
                " ".repeat(NAMES)
            };
            self.text.push_str(&margin);
            self.text.push_str(&self.paint.text(tone, line));
            self.text.push('\n');
        }
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// All of it, without a final newline.
    pub(super) fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

/// Between words; a word that is longer than a line stands alone.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        let (has, more) = (line.chars().count(), word.chars().count());
        if has == 0 {
            line.push_str(word);
        } else if has + 1 + more <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("incomprehensibilities are long", 5), ["incomprehensibilities", "are", "long"]);
        assert_eq!(broken("", 5), [""]);
    }

    #[test]
    fn values_stand_below_each_other() {
        let mut page = Page::new(Paint::NONE);
        page.fact("can", &"word ".repeat(30));
        page.gap();
        page.fact("a name beyond all bounds", "x");
        let text = page.finish();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("  can          word"), "{text}");
        assert!(lines[1].starts_with("               word"), "{text}");
        assert_eq!(lines[3], "  a name beyond all bounds  x");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }
}
