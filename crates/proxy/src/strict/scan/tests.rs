use super::*;

/// What the connection delivers, read in pieces of each size; `None` where the sizes disagree.
fn through(text: &str) -> Option<Vec<u8>> {
    let mut seen: Option<Vec<u8>> = None;
    for step in [1, 2, 3, 5, 16, 4096] {
        let mut bytes = text.as_bytes().to_vec();
        let mut scan = Scan::default();
        for piece in bytes.chunks_mut(step) {
            scan.read(piece);
        }
        match &seen {
            Some(first) if *first != bytes => return None,
            _ => seen = Some(bytes),
        }
    }
    seen
}

fn passes(text: &str) -> bool {
    through(text).expect("the same however it is cut") == text.as_bytes()
}

/// K07: what is plain passes untouched, however it is cut, with bodies that look like heads.
#[test]
fn k07_plain_requests_pass_untouched() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\nb\ncGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:0\r\n\r\nPOST / HTTP/1.1\r\ncontent-length:  3 \r\n\r\n\n\n\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n\n\n\n\n\n\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nContent-Length: 1\nTransfer-Encoding: x\n",
        "GET / HTTP/1.1\r\nContent-Lengthy: x\r\nTransfer-Encodings: x\r\nUpgrade-Insecure-Requests: 1\r\n\r\n",
    ] {
        assert!(passes(text), "{text:?}");
    }
}

/// K07: the smuggling corpus is spoilt at the line that makes it ambiguous.
#[test]
fn k07_ambiguous_heads_are_spoilt() {
    for text in [
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nX: 1\r\n Content-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nX: 1\nContent-Length: 5\r\n\r\nhello",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    ] {
        assert!(!passes(text), "{text:?}");
    }
    assert!(passes(&format!("POST / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "5".repeat(200))));
    assert!(!passes(&format!("POST / HTTP/1.1\r\nContent-Length: {}5\r\n\r\n", " ".repeat(200))));
}

/// K07: the second request on a connection is judged like the first.
#[test]
fn k07_later_requests_are_judged_too() {
    let bad = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    for first in [
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        assert!(passes(first) && !passes(&format!("{first}{bad}")), "{first:?}");
    }
}

#[test]
fn a_granted_upgrade_ends_the_watch_and_nothing_else_does() {
    let mut scan = Scan::default();
    let mut data = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
    scan.read(&mut data);
    scan.written(b"HTTP/1.1 101 Switching Protocols\r\n");
    assert_eq!(scan.state, State::RequestLine, "nobody asked");
    let mut data = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec();
    scan.read(&mut data);
    scan.written(b"HTTP/1.1 200 OK\r\n");
    assert_eq!(scan.state, State::RequestLine);
    scan.written(b"HTTP/1.1 101 Switching Protocols\r\n");
    let mut data = b"\n\nraw\n".to_vec();
    scan.read(&mut data);
    assert_eq!(data, b"\n\nraw\n");
}
