//! Keeps the layers of `docs/architecture.md` (design §3) apart: dependencies run one way, `core` stays pure, and
//! SQL, routes, cookies on the wire and page HTML stay in the crate that owns them.
//!
//! The rules are plain functions over text, so each is shown to fail on an offender before it is applied to the tree.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "test code: a panic is a failed test, and the slices are at places that `find` gave"
)]

mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use rules::{Violation, dependencies, source};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn rust_files(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn shown(violations: &[Violation]) -> String {
    violations.iter().map(|violation| format!("  {violation}\n")).collect()
}

#[test]
fn sources_keep_to_their_layer() {
    let root = root();
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let sources = entry.unwrap().path().join("src");
        if sources.is_dir() {
            rust_files(&sources, &mut files);
        }
    }
    assert!(files.len() >= 7, "found only {} source files: the walk is broken", files.len());
    let violations: Vec<Violation> = files
        .iter()
        .flat_map(|file| {
            let name = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            source(&name, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(violations.is_empty(), "layers are crossed:\n{}", shown(&violations));
}

#[test]
fn crates_depend_one_way() {
    let root = root();
    let mut violations = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let directory = entry.unwrap().path();
        let Ok(manifest) = fs::read_to_string(directory.join("Cargo.toml")) else { continue };
        seen += 1;
        violations.extend(dependencies(&directory.file_name().unwrap().to_string_lossy(), &manifest));
    }
    assert!(seen >= 7, "found only {seen} manifests: the walk is broken");
    assert!(violations.is_empty(), "dependencies run the wrong way:\n{}", shown(&violations));
}

/// Every rule, broken by hand: (file, offending line).
const OFFENDERS: &[(&str, &str)] = &[
    ("crates/core/src/domain/session.rs", "use crate::port::Clock;"),
    ("crates/core/src/domain/session.rs", "use super::super::service::open;"),
    ("crates/core/src/domain/session.rs", "use crate::{domain::ids, service};"),
    ("crates/core/src/port/store.rs", "use crate::service::open::Open;"),
    ("crates/core/src/service/open.rs", "let text = std::fs::read_to_string(path)?;"),
    ("crates/core/src/service/open.rs", "use std::{net::TcpStream, sync::Arc};"),
    ("crates/core/src/service/open.rs", "tokio::spawn(work);"),
    ("crates/core/src/service/open.rs", "let now = SystemTime::now();"),
    ("crates/core/src/service/open.rs", "let now = OffsetDateTime::now_utc();"),
    ("crates/core/src/domain/ids.rs", "let rng = SystemRandom::new();"),
    ("crates/core/src/domain/ids.rs", "aws_lc_rs::rand::fill(&mut bytes)?;"),
    ("crates/core/src/domain/ids.rs", "let key = Ed25519KeyPair::generate()?;"),
    ("crates/verify/src/verifier.rs", "use countersign_core::service::Engine;"),
    ("crates/http/src/route/login.rs", "let rows = \"SELECT id FROM users WHERE email = ?\";"),
    ("crates/adapters/src/files.rs", "use rusqlite::Connection;"),
    ("crates/cli/src/serve.rs", "db.execute(\"insert into users (id) values (1)\", ())?;"),
    ("crates/cli/src/serve.rs", "let app = Router::new().route(\"/auth/login\", get(page));"),
    ("crates/proxy/src/clean.rs", "headers.remove(header::SET_COOKIE);"),
    ("crates/adapters/src/mail.rs", "headers.insert(\"set-cookie\", value);"),
    ("crates/cli/src/serve.rs", "let page = \"<!doctype html><title>x</title>\";"),
];

#[test]
fn each_rule_finds_its_offender() {
    for (file, line) in OFFENDERS {
        assert!(!source(file, line).is_empty(), "not found in {file}: {line}");
    }
}

#[test]
fn comments_and_tests_are_not_offenders() {
    for (file, _) in OFFENDERS {
        let text = "//! tokio::spawn, crate::port, SELECT a FROM b\n/// <html> set-cookie\nfn f() {} // std::fs::read\n\
                    #[cfg(test)]\nmod tests { use crate::port::Clock; fn f() { tokio::spawn(x); } }\n";
        assert_eq!(shown(&source(file, text)), "", "{file}");
    }
}

#[test]
fn manifest_rules_find_their_offenders() {
    let offenders = [
        ("core", "[dependencies]\ntokio.workspace = true\n"),
        ("core", "[dependencies]\nrusqlite = \"0.41\"\n"),
        ("http", "[dependencies]\ncountersign-store.workspace = true\n"),
        ("store", "[dependencies.countersign-adapters]\nworkspace = true\n"),
        ("proxy", "[dependencies]\ncountersign-core = { workspace = true }\n"),
        ("adapters", "[dependencies]\naxum.workspace = true\n"),
        ("http", "[dependencies]\ncountersign-testkit.workspace = true\n"),
        ("store", "[target.'cfg(unix)'.dependencies]\ncountersign-http.workspace = true\n"),
        ("unheard-of", "[dependencies]\n"),
    ];
    for (name, manifest) in offenders {
        assert!(!dependencies(name, manifest).is_empty(), "not found in {name}:\n{manifest}");
    }
    let honest = "[dependencies]\ncountersign-core.workspace = true\n[dev-dependencies]\ncountersign-testkit.workspace = true\n";
    assert_eq!(shown(&dependencies("store", honest)), "");
}
