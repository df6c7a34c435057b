use super::*;

/// What passes, read in pieces of each size, and how it ends.
fn through(text: &str) -> (usize, State, Option<Refusal>) {
    let mut seen = None;
    for step in [1, 2, 3, 5, 16, 4096] {
        let mut scan = Scan::default();
        let (mut held, mut passed, mut refused) = (Vec::new(), 0, None);
        for piece in text.as_bytes().chunks(step) {
            held.extend_from_slice(piece);
            let followed = scan.follow(&held);
            refused = refused.or(followed.refused);
            held.drain(..followed.safe);
            passed += followed.safe;
        }
        // How much of a broken line has passed before depends on how it is cut.
        let passed = if scan.state == State::Broken { 0 } else { passed };
        let now = (passed, scan.state, refused);
        assert_eq!(*seen.get_or_insert(now), now, "in pieces of {step}: {text:?}");
    }
    seen.expect("some pieces")
}

fn passes(text: &str) -> bool {
    let (passed, state, refused) = through(text);
    passed == text.len() && !matches!(state, State::Refused | State::Broken) && refused.is_none()
}

/// K07: what is plain passes untouched, however it is cut, with bodies that look like heads.
#[test]
fn k07_plain_requests_pass_untouched() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\nb\ncGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:0\r\n\r\nPOST / HTTP/1.1\r\ncontent-length:  3 \r\n\r\n\n\n\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n\n\n\n\n\n\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000003\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nContent-Length: 1\nTransfer-Encoding: x\n",
        "GET / HTTP/1.1\r\nContent-Lengthy: x\r\nTransfer-Encodings: x\r\nUpgrade-Insecure-Requests: 1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\nGET http://a/b?c={d}|e HTTP/1.1\r\nX: \t\u{e9}\r\nEmpty:\r\n\r\n",
    ] {
        assert!(passes(text), "{text:?}");
    }
    assert!(passes(&format!("POST / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "5".repeat(60_000))));
    let long = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(200));
    assert!(passes(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{long}")));
}

/// K07: the smuggling corpus stops at the line that makes it ambiguous.
#[test]
fn k07_ambiguous_heads_do_not_pass() {
    let framing = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: 5, 5\r\n\r\nhello",
        "Content-Length:\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ];
    for text in framing {
        let refused = through(&format!("POST / HTTP/1.1\r\n{text}"));
        assert_eq!(refused, (0, State::Refused, Some(Refusal::Framing)), "{text:?}");
    }
    let old = through("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(old.2, Some(Refusal::Framing));
    let fields = [
        "X: 1\r\n Content-Length: 5\r\n\r\nhello",
        "X: 1\nContent-Length: 5\r\n\r\nhello",
        "Host: a\r\n\n",
        "Content-Length : 5\r\n\r\nhello",
        "X\r\n\r\n",
        ": x\r\n\r\n",
        "X: a\rb\r\n\r\n",
        "X: \0\r\n\r\n",
    ];
    for text in fields {
        let refused = through(&format!("POST / HTTP/1.1\r\n{text}"));
        assert_eq!(refused, (0, State::Refused, Some(Refusal::Field)), "{text:?}");
    }
    let lines =
        ["GET / HTTP/1.1\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n", "GET / HTTP/2.0\r\n"];
    for text in lines.into_iter().chain([
        "GET /\x01 HTTP/1.1\r\n",
        "GET :: HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nGET",
    ]) {
        assert_eq!(through(text), (0, State::Refused, Some(Refusal::RequestLine)), "{text:?}");
    }
    let padded = format!("POST / HTTP/1.1\r\nContent-Length: {}5\r\n\r\n", " ".repeat(66_000));
    assert_eq!(through(&padded), (0, State::Refused, Some(Refusal::TooLarge)));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(101));
    assert_eq!(through(&many), (0, State::Refused, Some(Refusal::TooLarge)));
}

/// K07: sizes that two counters could read as two, also where the line comes in pieces.
#[test]
fn k07_chunk_sizes_are_short_numbers() {
    for body in [
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5;x\nhello\r\n0\r\n\r\n",
        "ffffffffffffffff\r\n",
        "10000000000000000\r\n",
        "00000000000000005\r\nhello\r\n",
        "5x\r\nhello\r\n",
        "\r\n",
    ] {
        let text = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(through(&text).1, State::Broken, "{body:?}");
    }
    for zeros in [17, 96, 97, 200] {
        let text =
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}5\r\n\r\n", "0".repeat(zeros));
        assert_eq!(through(&text).1, State::Broken, "{zeros}");
    }
}

/// K07: the second request on a connection is judged like the first.
#[test]
fn k07_later_requests_are_judged_too() {
    let bad = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    for first in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        let both = through(&format!("{first}{bad}"));
        assert_eq!(both, (first.len(), State::Refused, Some(Refusal::Framing)), "{first:?}");
    }
}

/// K07: after a request to leave HTTP nothing passes before its answer; then all of it, or what is a request.
#[test]
fn k07_bytes_behind_an_upgrade_wait_for_its_answer() {
    let asking = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let raw = b"\n\nraw\n";
    let mut granted = Scan::default();
    assert_eq!(granted.follow(asking.as_bytes()).safe, asking.len());
    assert_eq!((granted.follow(raw).safe, granted.state), (0, State::Waiting));
    granted.step_aside();
    assert_eq!(granted.follow(raw), Followed { safe: raw.len(), refused: None });

    let mut denied = Scan::default();
    assert_eq!(denied.follow(asking.as_bytes()).safe, asking.len());
    denied.go_on();
    assert_eq!(denied.follow(b"GET / HTTP/1.1\n").refused, Some(Refusal::RequestLine));
}
