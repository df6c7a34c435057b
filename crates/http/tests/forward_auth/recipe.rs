//! The files of `docs/recipes`, with other ports and nothing else changed.

use std::path::Path;

/// What stands in the recipes, by the word in `port: <word>`.
const DOCUMENTED: [(&str, u16); 5] =
    [("https", 443), ("http", 80), ("countersign", 8080), ("app", 3000), ("admin", 2019)];

/// Ports of one run, by the same words.
pub(crate) type Ports = [(&'static str, u16)];

/// Writes a recipe into a directory.
pub(crate) fn copy(name: &str, directory: &Path, ports: &Ports) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes").join(name);
    let text = std::fs::read_to_string(&source).unwrap_or_else(|e| panic!("{}: {e}", source.display()));
    let lines: Vec<String> = text.lines().map(|line| with_port(line, ports)).collect();
    std::fs::write(directory.join(name), lines.join("\n") + "\n").unwrap();
}

fn with_port(line: &str, ports: &Ports) -> String {
    let Some((_, word)) = line.split_once(" port: ") else { return line.to_owned() };
    let word = word.trim();
    let documented = DOCUMENTED.iter().find(|(w, _)| *w == word).unwrap_or_else(|| panic!("{line}")).1;
    let chosen = ports.iter().find(|(w, _)| *w == word).unwrap_or_else(|| panic!("{line}")).1;
    let (from, to) = (documented.to_string(), chosen.to_string());
    assert_eq!(line.matches(&from).count(), 1, "{line}");
    line.replace(&from, &to)
}
