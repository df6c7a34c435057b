//! The rules of the layering test: text in, violations out.

use std::fmt::{self, Display};

/// One line that crosses a layer, and the rule it breaks.
#[derive(Debug)]
pub(crate) struct Violation {
    place: String,
    line: usize,
    rule: &'static str,
    text: String,
}

impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.place, self.line, self.rule, self.text.trim())
    }
}

/// Words that must not stand in the files of a layer.
struct Rule {
    says: &'static str,
    within: fn(&str) -> bool,
    words: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        says: "core::domain names neither port nor service",
        within: |file| file.starts_with("crates/core/src/domain"),
        words: &[
            "port::",
            "service::",
            "{port",
            "{service",
            ", port}",
            ", port,",
            ", service}",
            ", service,",
        ],
    },
    Rule {
        says: "core::port does not name service",
        within: |file| file.starts_with("crates/core/src/port"),
        words: &["service::", ", service}", ", service,"],
    },
    Rule {
        says: "core does no I/O and has no runtime",
        within: |file| file.starts_with("crates/core/src"),
        words: &[
            "std::fs",
            "std::process",
            "std::thread",
            "std::env",
            "std::io",
            "fs::",
            "tokio",
            "hyper",
            "reqwest",
            "async_std",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "UnixStream",
            "ToSocketAddrs",
            "File::open",
        ],
    },
    Rule {
        says: "core has no clock of its own",
        within: |file| file.starts_with("crates/core/src"),
        words: &["SystemTime", "Instant::now", "now_utc", "now_local"],
    },
    Rule {
        says: "core has no randomness of its own",
        within: |file| file.starts_with("crates/core/src"),
        words: &[
            "SystemRandom",
            "rand::",
            "getrandom",
            "thread_rng",
            "OsRng",
            "Ed25519KeyPair::generate",
            "EcdsaKeyPair::generate",
        ],
    },
    Rule {
        says: "verify knows core's domain only",
        within: |file| file.starts_with("crates/verify/src"),
        words: &["countersign_core::port", "countersign_core::service", "countersign_core::{"],
    },
    Rule {
        says: "drill knows core's domain only",
        within: |file| file.starts_with("crates/drill/src"),
        words: &["countersign_core::port", "countersign_core::service", "countersign_core::{"],
    },
    Rule {
        says: "SQL stands only in store",
        within: |file| !file.starts_with("crates/store/"),
        words: &["rusqlite", "sqlx", "tokio_postgres"],
    },
    Rule {
        says: "routes stand only in http",
        within: |file| !file.starts_with("crates/http/") && !is_example(file),
        words: &["axum::", ".route(\"", "Router::new("],
    },
    Rule {
        says: "cookies go on the wire only in http",
        within: |file| !file.starts_with("crates/http/") && !is_example(file) && !is_attacker(file),
        // Calls, not names: lists of protected headers name cookies without sending any.
        words: &[
            "SET_COOKIE",
            "header::COOKIE",
            "(\"set-cookie\"",
            "(\"Set-Cookie\"",
            "(\"cookie\"",
            "(\"Cookie\"",
        ],
    },
    Rule {
        says: "page HTML stands only in http",
        within: |file| !file.starts_with("crates/http/") && !is_example(file) && !is_attacker(file),
        words: &["<!doctype html", "<!DOCTYPE html", "<html", "<body"],
    },
];

/// Applications of their own, not layers: the demonstration application, and what tests put behind the gateway.
fn is_example(file: &str) -> bool {
    file.starts_with("crates/testkit/") || file.contains("/src/demo")
}

/// The drill is a client: it sends cookies as browsers do, and its report is a page that no server sends.
fn is_attacker(file: &str) -> bool {
    file.starts_with("crates/drill/")
}

/// A statement in a string: both words, in this order, in one line.
const STATEMENTS: &[(&str, &str)] = &[
    ("select ", " from "),
    ("insert into ", "("),
    ("delete from ", " where "),
    ("update ", " set "),
    ("create table ", ""),
    ("create index ", ""),
    ("pragma ", "="),
];

/// The violations in one source file; comments, and all below `#[cfg(test)]`, do not count.
pub(crate) fn source(file: &str, text: &str) -> Vec<Violation> {
    if file.contains("/tests/") || file.ends_with("/tests.rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim() == "#[cfg(test)]" {
            break;
        }
        let code = without_comment(line);
        let mut report = |rule: &'static str| {
            found.push(Violation { place: file.to_owned(), line: index + 1, rule, text: line.to_owned() });
        };
        for rule in RULES {
            if (rule.within)(file) && rule.words.iter().any(|word| names(code, word)) {
                report(rule.says);
            }
        }
        if !file.starts_with("crates/store/") && is_sql(code) {
            report("SQL stands only in store");
        }
    }
    found
}

/// Words that begin so name a module only in an import; elsewhere they are format arguments and parameters.
const LIST: [char; 2] = ['{', ','];

/// Whether `code` holds `word`, not as the tail of a longer name: `report::` does not name `port::`.
fn names(code: &str, word: &str) -> bool {
    if word.starts_with(LIST) && !code.trim_start().trim_start_matches("pub ").starts_with("use ") {
        return false;
    }
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let starts_name = word.starts_with(|first: char| first.is_alphanumeric());
        !(starts_name && before.is_some_and(|before| before.is_alphanumeric() || before == '_'))
    })
}

fn is_sql(code: &str) -> bool {
    let Some(quote) = code.find('"') else { return false };
    let text = code[quote..].to_lowercase();
    STATEMENTS
        .iter()
        .any(|(first, second)| text.find(first).is_some_and(|at| text[at + first.len()..].contains(second)))
}

fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        return "";
    }
    line.find(" // ").map_or(line, |at| &line[..at])
}

/// Which of our crates each may name (design §3), and which foreign ones it may not.
fn allowed(name: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    const RUNTIMES: &[&str] = &[
        "tokio",
        "hyper",
        "hyper-util",
        "axum",
        "tower",
        "rusqlite",
        "rustls",
        "tokio-rustls",
        "rand",
        "getrandom",
        "tokio-postgres",
        "rcgen",
        "http-body",
    ];
    const NO_SQL_NO_ROUTES: &[&str] = &["rusqlite", "tokio-postgres", "axum", "askama"];
    const NO_SQL: &[&str] = &["rusqlite", "tokio-postgres"];
    const NO_ROUTES: &[&str] = &["axum", "askama", "hyper"];
    Some(match name {
        "core" | "leak" => (&["core"], RUNTIMES),
        "store" => (&["core"], NO_ROUTES),
        "adapters" => (&["core"], NO_SQL_NO_ROUTES),
        "proxy" => (&[], NO_SQL_NO_ROUTES),
        "http" => (&["core", "proxy"], NO_SQL),
        "cli" => (&["core", "store", "adapters", "http", "proxy", "leak", "drill"], NO_SQL_NO_ROUTES),
        "drill" | "verify" => (&["core"], NO_SQL),
        "fuzzed" => (&["core", "proxy"], NO_SQL_NO_ROUTES),
        "testkit" => (&["core", "store", "adapters", "http", "proxy"], NO_SQL),
        _ => return None,
    })
}

/// The violations in one manifest; development dependencies do not count.
pub(crate) fn dependencies(name: &str, manifest: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut report = |line: usize, rule: &'static str, text: &str| {
        found.push(Violation {
            place: format!("crates/{name}/Cargo.toml"),
            line,
            rule,
            text: text.to_owned(),
        });
    };
    let Some((ours, banned)) = allowed(name) else {
        report(0, "a new crate needs a place in the layers: add it to this test", name);
        return found;
    };
    let mut inside = false;
    for (index, line) in manifest.lines().enumerate() {
        let mut key = "";
        if let Some(table) = line.trim().strip_prefix('[') {
            let table = table.trim_end_matches(']');
            let (_, last) = table.split_once("dependencies").unwrap_or((table, ""));
            inside = table.contains("dependencies") && !table.contains("dev-dependencies") && last.is_empty();
            if !table.contains("dev-dependencies") {
                key = last.trim_start_matches('.');
            }
        } else if inside {
            key = line.split(['.', '=', ' ']).next().unwrap_or("");
        }
        match key.strip_prefix("countersign-") {
            Some(own) if !ours.contains(&own) => report(index + 1, "dependencies run one way", line),
            Some(_) => {}
            None if banned.contains(&key) => report(index + 1, "this layer does without it", line),
            None => {}
        }
    }
    found
}
