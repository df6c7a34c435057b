//! Reads what `strace` saw and judges every acknowledgement: was what it promises synced before it was given?

/// A system call, with the moments at which it began and ended (positions in the trace).
#[derive(Debug)]
struct Call {
    began: usize,
    ended: usize,
    name: String,
    file: String,
    bytes: Vec<u8>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Acknowledgements seen.
    pub(crate) acknowledged: usize,
    /// Those that came before the sync of what they promise, each with the reason.
    pub(crate) violations: Vec<String>,
}

/// Judges a trace made with `strace -f -y -s 5000` of the load program.
///
/// For each acknowledgement: the log page that holds its mark, then the commit frame that completes that transaction
/// (SQLite file format §4.1: bytes 4..8 of a frame header are zero but in a commit frame), then a sync of the log that
/// began after that frame was written and ended before the acknowledgement began.
pub(crate) fn judge(trace: &str) -> Findings {
    let calls = parse(trace);
    let log: Vec<&Call> = calls.iter().filter(|call| call.file.ends_with("-wal")).collect();
    let writes: Vec<&Call> = log.iter().filter(|call| call.name.contains("write")).copied().collect();
    let syncs: Vec<&Call> = log.iter().filter(|call| call.name.ends_with("sync")).copied().collect();
    let mut findings = Findings::default();
    for call in
        calls.iter().filter(|call| call.file.starts_with("pipe:") || call.file.ends_with("acknowledged"))
    {
        let line = String::from_utf8_lossy(&call.bytes);
        let Some(mark) = line.trim_end().rsplit(' ').next().filter(|mark| mark.starts_with('K')) else {
            continue;
        };
        findings.acknowledged += 1;
        if let Err(reason) = judge_one(mark.as_bytes(), call, &writes, &syncs) {
            findings.violations.push(format!("{}: {reason}", line.trim_end()));
        }
    }
    findings
}

fn judge_one(
    mark: &[u8],
    acknowledgement: &Call,
    writes: &[&Call],
    syncs: &[&Call],
) -> Result<(), &'static str> {
    let page = writes
        .iter()
        .position(|call| call.bytes.windows(mark.len()).any(|window| window == mark))
        .ok_or("what it promises was never written to the log")?;
    // A frame is a header of 24 bytes, then the page; the page before which the commit header stands is the last one.
    let header = page.checked_sub(1).ok_or("a page without a header")?;
    let commit = (header..writes.len()).find(|at| is_commit(&writes[*at].bytes)).ok_or("never committed")?;
    let last = writes.get(commit + 1).ok_or("the commit frame has no page")?;
    let synced = syncs.iter().any(|sync| sync.began > last.ended && sync.ended < acknowledgement.began);
    if synced { Ok(()) } else { Err("acknowledged before the log was synced") }
}

fn is_commit(bytes: &[u8]) -> bool {
    bytes.len() == 24 && bytes[4..8] != [0; 4]
}

/// Lines as `PID name(fd<file>, "bytes"..., …) = result`, or split in two where threads interleave:
/// `PID name(… <unfinished ...>` and `PID <... name resumed>…`.
fn parse(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("<...") {
            if let Some(index) = open.remove(pid) {
                calls[index].ended = at;
            }
            continue;
        }
        let Some((name, arguments)) = rest.split_once('(') else { continue };
        let file =
            arguments.split_once('<').and_then(|(_, file)| file.split_once('>')).map_or("", |(file, _)| file);
        let mut ended = at;
        if line.ends_with("<unfinished ...>") {
            open.insert(pid, calls.len());
            ended = usize::MAX;
        }
        // "(deleted)" and the like follow the name of a file that is gone.
        let file = file.split(" (").next().unwrap_or(file).to_owned();
        calls.push(Call { began: at, ended, name: name.to_owned(), file, bytes: unescape(arguments) });
    }
    calls
}

/// The bytes of the first quoted string, as strace writes them: C escapes, octal of one to three digits.
fn unescape(arguments: &str) -> Vec<u8> {
    let Some((_, quoted)) = arguments.split_once('"') else { return Vec::new() };
    let mut bytes = Vec::new();
    let mut rest = quoted.as_bytes().iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => break,
            b'\\' => match rest.next() {
                Some(digit @ b'0'..=b'7') => {
                    let mut value = u32::from(digit - b'0');
                    for _ in 0..2 {
                        let Some(digit @ b'0'..=b'7') = rest.peek().copied() else { break };
                        rest.next();
                        value = value * 8 + u32::from(digit - b'0');
                    }
                    bytes.push(u8::try_from(value).unwrap());
                }
                Some(b'n') => bytes.push(b'\n'),
                Some(b't') => bytes.push(b'\t'),
                Some(b'r') => bytes.push(b'\r'),
                Some(b'v') => bytes.push(0x0b),
                Some(b'f') => bytes.push(0x0c),
                Some(other) => bytes.push(other),
                None => break,
            },
            other => bytes.push(other),
        }
    }
    bytes
}
