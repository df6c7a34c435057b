//! K07: the corpus in `smuggling/`, over HTTP/1.1 and HTTP/2, with canaries behind each request on the connection that
//! it came by and on the one to the application.

use std::fs;
use std::path::Path;
use std::time::Duration;

use countersign_testkit::Seen;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, ask, block};
use crate::scene::{PATIENCE, Raw, Scene, get, honest};

const HEAD: &str = "Host: app.countersign.test\r\nX-Forwarded-Proto: https\r\n";
/// Longer than an answer takes that is under way.
const QUIET: Duration = Duration::from_millis(40);

/// One file.
struct Case {
    name: String,
    expect: String,
    stays: bool,
    seen: Vec<String>,
    absent: Option<String>,
    text: String,
}

impl Case {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = fs::read_to_string(path).unwrap();
        let (about, text) = file.split_once("---\n").unwrap_or_else(|| panic!("{name}: no ---"));
        let value = |key: &str| {
            let mut lines = about.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            lines.next().map(|value| value.trim().to_owned())
        };
        let then = value("then");
        assert!(matches!(then.as_deref(), None | Some("closed" | "canary")), "{name}: then");
        Self {
            expect: value("expect").unwrap_or_else(|| panic!("{name}: no expect")),
            stays: then.as_deref() == Some("canary"),
            seen: value("seen").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            absent: value("absent"),
            text: text.to_owned(),
            name,
        }
    }

    /// All of a folder, in order.
    fn all(folder: &str, at_least: usize) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardening/smuggling").join(folder);
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(paths.len() >= at_least, "{} files", paths.len());
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// What the application saw since then, and a canary on the connection to it that is reused.
    async fn judge(&self, scene: &Scene, before: usize, answered: &str, wrong: &mut Vec<String>) {
        let path = format!("/canary-behind-{}", self.name);
        honest(scene.address(), &path).await;
        let seen = scene.upstream.seen().split_off(before);
        let targets: Vec<&str> = seen.iter().map(|seen: &Seen| seen.target.as_str()).collect();
        let mut expected: Vec<&str> = self.seen.iter().map(String::as_str).collect();
        let own = format!("/canary-{}", self.name);
        expected.extend(targets.iter().copied().filter(|target| *target == own));
        expected.push(&path);
        if answered != self.expect || targets != expected {
            wrong.push(format!("{}: {answered} for {}, seen {targets:?}", self.name, self.expect));
        }
        for seen in seen {
            let found = self.absent.as_ref().and_then(|name| seen.header(name));
            if let Some(found) = found {
                wrong.push(format!("{}: the application saw {found:?}", self.name));
            }
        }
    }
}

/// Undoes the escapes.
fn bytes(text: &str) -> Vec<u8> {
    let text = text.replace("{head}", &HEAD.escape_default().to_string());
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next().unwrap() {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'0' => 0,
                b'\\' => b'\\',
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => panic!("\\{}", char::from(other)),
            },
            plain => plain,
        });
    }
    bytes
}

/// The statuses of answers in what was read. Heads that an application quotes in JSON look different.
fn statuses(text: &str) -> Vec<&str> {
    text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect()
}

/// Reads until so many answers have come and nothing more does, or the connection ends.
async fn read(raw: &mut Raw, answers: usize, to_the_end: bool) -> String {
    let (mut text, began) = (String::new(), Instant::now());
    loop {
        let done = !to_the_end && statuses(&text).len() >= answers;
        let mut buffer = [0; 8192];
        match timeout(if done { QUIET } else { PATIENCE / 4 }, raw.0.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            Ok(_) => return text,
            Err(_) if done => return text,
            Err(_) => return format!("{text}HTTP/1.1 (nothing more for {:?})", began.elapsed()),
        }
    }
}

#[tokio::test]
async fn k07_over_http1() {
    let scene = Scene::with(|settings| settings.log_access = false).await;
    let mut wrong = Vec::new();
    for case in Case::all("http1", 80) {
        let before = scene.arrived();
        let mut raw = Raw::send(scene.address(), "").await;
        tokio::io::AsyncWriteExt::write_all(&mut raw.0, &bytes(&case.text.replace('\n', ""))).await.unwrap();
        let expected = case.expect.split(' ').count();
        let mut answered = statuses(&read(&mut raw, expected, !case.stays).await).join(" ");
        if case.stays {
            let own = format!("/canary-{}", case.name);
            raw.write(&get(&own)).await;
            let canary = read(&mut raw, 1, false).await;
            if statuses(&canary) != ["200"] || !canary.contains(&format!("\"path\":\"{own}\"")) {
                answered.push_str(&format!(", its canary {canary}"));
            }
        }
        case.judge(&scene, before, &answered, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn k07_over_http2() {
    let scene = Scene::with(|settings| settings.log_access = false).await;
    let mut wrong = Vec::new();
    for case in Case::all("http2", 40) {
        let before = scene.arrived();
        let (fields, body) = case.text.split_once("\n\n").unwrap_or((&case.text, ""));
        let fields: Vec<(Vec<u8>, Vec<u8>)> = fields
            .lines()
            .map(|line| {
                let colon = 1 + line[1..].find(": ").unwrap_or_else(|| panic!("{}: {line}", case.name));
                (bytes(&line[..colon]), bytes(&line[colon + 2..]))
            })
            .collect();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let fields: Vec<(String, String)> = fields.iter().map(|(n, v)| (text(n), text(v))).collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let mut client = Http2::connect(scene.address(), &[]).await;
        let body = bytes(body.trim_end_matches('\n'));
        let last = if body.is_empty() { END_STREAM } else { 0 };
        client.send(HEADERS, END_HEADERS | last, 1, &block(&fields)).await;
        if !body.is_empty() {
            client.send(DATA, END_STREAM, 1, &body).await;
        }
        let answer = client.answer(1).await;
        let mut answered = answer.map_or_else(|| String::from("reset"), |(status, _)| status.to_string());
        let own = format!("/canary-{}", case.name);
        client.send(HEADERS, END_HEADERS | END_STREAM, 3, &ask(&own)).await;
        match client.answer(3).await {
            Some((200, text)) if text.contains(&format!("\"path\":\"{own}\"")) => {}
            // A connection may have ended with its stream.
            None if answered == "reset" => {}
            other => answered.push_str(&format!(", its canary {other:?}")),
        }
        case.judge(&scene, before, &answered, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
