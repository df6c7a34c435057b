//! The whole way from a `tracing` macro to what is written.

use std::io::{Read, pipe};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl";

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `log` leaves in the log.
fn logged(format: Format, colours: bool, log: impl FnOnce()) -> String {
    let memory = Memory::default();
    let (subscriber, guard) = subscriber(format, "trace", colours, memory.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, log);
    drop(guard);
    let bytes = memory.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn every_kind_of_leak() {
    let span = tracing::info_span!("request", token = JWT, path = "/x");
    let _entered = span.enter();
    tracing::info!(token = %JWT, "as display");
    tracing::info!(token = ?JWT, "as debug");
    tracing::info!(header = ?["a\n", JWT], "in a list");
    tracing::info!("in the message: {JWT}");
    tracing::info!(text = ?format!("first\n{JWT}"), "behind an escape");
    tracing::info!(password = "hunter2hunter2", authorization = "Bearer abcdef", "by name");
    tracing::error!(error = %format!("csrf_token=Zm9vYmFyYmF6 {JWT}"), "as error");
}

/// I01: no secret survives in any format, with or without colours, in events or spans.
#[test]
fn i01_nothing_leaks_in_any_format() {
    for (format, colours) in [(Format::Pretty, false), (Format::Pretty, true), (Format::Json, false)] {
        let text = logged(format, colours, every_kind_of_leak);
        assert_eq!(text.lines().count(), 7, "{text}");
        for canary in ["eyJ", "hunter2", "abcdef", "Zm9v"] {
            assert!(!text.contains(canary), "{format:?} {colours}: {text}");
        }
        assert_eq!(text.contains('\u{1b}'), colours, "{text}");
    }
}

/// I04: what a client sends cannot begin a line or reach the terminal.
#[test]
fn i04_clients_cannot_forge_lines() {
    let agent = "x\r\n2026-01-01T00:00:00Z  INFO fake\u{1b}[31m\0";
    for format in [Format::Pretty, Format::Json] {
        let text = logged(format, false, || {
            tracing::info!(%agent, "as display");
            tracing::info!(agent, "as text");
            tracing::info!("{agent}");
        });
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
}

/// I05: time in UTC and level on each line of JSON, and fields at the top.
#[test]
fn i05_json_schema() {
    let text = logged(Format::Json, false, || tracing::warn!(actor = "u1", status = 401, "refused"));
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!((&line["level"], &line["message"]), (&"WARN".into(), &"refused".into()));
    assert_eq!((&line["actor"], &line["status"]), (&"u1".into(), &401.into()));
}

/// Lines for people leave out what says nothing; lines for programs keep every field.
#[test]
fn empty_fields_are_for_programs() {
    let log = || tracing::info!(user = "", session = "s1", ip = String::new(), count = 0, detail = "", "x");
    let text = logged(Format::Pretty, false, log);
    assert!(text.contains("session=\"s1\" count=0"), "{text}");
    for name in ["user", "ip=", "detail"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    let text = logged(Format::Json, false, log);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["user"], &line["ip"], &line["detail"]), (&"".into(), &"".into(), &"".into()));
}

/// I07: a full disk loses lines, and nothing else.
#[test]
#[cfg(target_os = "linux")]
fn i07_a_full_disk_breaks_nothing() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!((&full).write_all(b"x").is_err(), "/dev/full takes writes here");
    let (subscriber, guard) = subscriber(Format::Pretty, "trace", false, full).unwrap();
    let answered = tracing::subscriber::with_default(subscriber, || {
        (0..20_000).inspect(|n| tracing::info!(n, "a line that cannot be written")).count()
    });
    assert_eq!(answered, 20_000);
    drop(guard);
}

/// I07: when the disk has room again, lines go through and the loss is told.
#[test]
fn i07_losses_are_told() {
    struct Flaky(Memory, u32);
    impl Write for Flaky {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1 == 1 { Err(io::ErrorKind::StorageFull.into()) } else { self.0.write(buf) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let memory = Memory::default();
    let (subscriber, guard) = subscriber(Format::Json, "info", false, Flaky(memory.clone(), 0)).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("lost");
        std::thread::sleep(Duration::from_millis(200));
        tracing::info!("written");
    });
    drop(guard);
    let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("\"message\":\"written\"") && !text.contains("\"message\":\"lost\""), "{text}");
    assert!(text.contains("\"lost\":1}"), "{text}");
}

/// I07: a reader that stopped reading (a stalled pipe) does not stop who logs, not even at the end.
#[test]
fn i07_a_stalled_reader_blocks_nobody() {
    let (mut reader, writer) = pipe().unwrap();
    let (subscriber, guard) = subscriber(Format::Pretty, "trace", false, writer).unwrap();
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..50_000 {
                tracing::info!(n, "a line that nobody reads, long enough to fill a pipe soon");
            }
        });
        drop(guard);
        done.send(()).unwrap();
    });
    assert!(finished.recv_timeout(Duration::from_secs(30)).is_ok(), "who logs waits for the reader");
    let mut some = [0; 64];
    assert!(reader.read(&mut some).unwrap() > 0);
}

#[test]
fn filters() {
    let made = |filter| subscriber(Format::Pretty, filter, false, io::sink()).map(drop);
    assert!(made("info,countersign_proxy=debug").is_ok());
    let message = made("info,=,x=nolevel").unwrap_err().to_string();
    assert!(message.contains("x=nolevel"), "{message}");
}
